//! Something that is asked once, however many checks need it.

use std::future::Future;

use tokio::sync::OnceCell;

use crate::error::Result;

/// A value that the first to need it fetches; the others wait for that answer, which may be an error for all of them.
#[derive(Debug)]
pub struct Fact<T>(OnceCell<Result<T>>);

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

impl<T> Fact<T> {
    /// The value, fetched by `ask` if nobody has yet.
    pub async fn get(&self, ask: impl Future<Output = Result<T>>) -> Result<&T> {
        self.0.get_or_init(|| ask).await.as_ref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::{Code, Error};

    #[tokio::test]
    async fn it_is_asked_once_and_an_error_is_everybodys() {
        let asked = AtomicU32::new(0);
        let ask = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err::<u32, _>(Error::new(Code::NotReady, "no"))
        };
        let fact = Fact::default();
        let (one, two) = tokio::join!(fact.get(ask()), fact.get(ask()));
        assert_eq!(one.unwrap_err().message, "no");
        assert_eq!(two.unwrap_err().message, "no");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
