//! Many calls at once, but never more than a server takes lightly.

use std::future::Future;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::error::Result;

/// How many calls are under way at the same time. A server has few cores: more at once only wait for each other, and on a
/// busy one beyond the limit of time.
const AT_ONCE: usize = 8;

/// The results in order, or the first error.
pub(super) async fn bounded<T>(calls: impl IntoIterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    // Collected first: a lazy map of borrowing closures is more than the compiler proves to be `Send`.
    let calls: Vec<_> = calls.into_iter().collect();
    stream::iter(calls).buffered(AT_ONCE).try_collect().await
}
