//! Pulling an image, with real progress and a limit on silence.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::Docker;
use super::error::words;
use crate::error::{Code, Error, Result};

/// How long a pull may be silent, in seconds; its length as a whole has no limit.
const SILENCE: u64 = 60;

impl Docker {
    /// Pulls an image. `progress` is told the bytes fetched so far and the bytes known to be needed.
    ///
    /// A stream that ends is not a pulled image: a cut connection looks the same. The image has to be there afterwards.
    pub async fn pull(&self, reference: &str, mut progress: impl FnMut(u64, u64)) -> Result<()> {
        let (name, tag) = split(reference);
        let options = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
        let mut stream = self.inner.create_image(Some(options), None, None);
        let mut layers: HashMap<String, (u64, u64)> = HashMap::new();
        loop {
            let item = tokio::time::timeout(Duration::from_secs(SILENCE), stream.next()).await;
            match item {
                Err(_) => return Err(refused(reference, &format!("nothing arrived for {SILENCE} s"))),
                Ok(None) => break,
                Ok(Some(Err(failed))) => return Err(refused(reference, &words(&failed))),
                Ok(Some(Ok(info))) => {
                    let (Some(layer), Some(detail)) = (info.id, info.progress_detail) else { continue };
                    let bytes = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
                    if let (Some(current), Some(total)) = (bytes(detail.current), bytes(detail.total)) {
                        // Unpacking counts the same bytes again; only growth is news.
                        let known = layers.entry(layer).or_default();
                        *known = (known.0.max(current), known.1.max(total));
                        progress(
                            layers.values().map(|layer| layer.0).sum(),
                            layers.values().map(|layer| layer.1).sum(),
                        );
                    }
                }
            }
        }
        match self.image_id(reference).await? {
            Some(_) => Ok(()),
            None => Err(refused(reference, "the download was cut off")),
        }
    }
}

/// Name and tag or digest; the colon of a registry's port is not a tag's.
fn split(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

fn refused(reference: &str, answer: &str) -> Error {
    let failed = Error::new(Code::ImageUnavailable, format!("could not pull image `{reference}`")).cause(answer);
    if answer.contains("toomanyrequests") || answer.contains("rate limit") {
        return failed.hint("log in with `docker login`, or set `images.registry` in moko-mon.yaml to a mirror");
    }
    failed.hint("check the network and the name; `images.registry` sets a mirror, and a local image of that name is used when there is one (`docker load`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_s_port_is_not_a_tag() {
        assert_eq!(split("prom/prometheus:v3.13.2"), ("prom/prometheus", "v3.13.2"));
        assert_eq!(split("mirror:5000/prom/prometheus"), ("mirror:5000/prom/prometheus", "latest"));
        assert_eq!(split("a/b@sha256:12"), ("a/b", "sha256:12"));
    }

    #[test]
    fn a_rate_limit_has_its_own_way_out() {
        let error = refused("prom/prometheus:v3", "toomanyrequests: You have reached your pull rate limit");
        assert_eq!(
            error.to_string(),
            "error: could not pull image `prom/prometheus:v3`\n  \
             caused by: toomanyrequests: You have reached your pull rate limit\n\
             hint: log in with `docker login`, or set `images.registry` in moko-mon.yaml to a mirror"
        );
    }
}
