//! Logs, each piece behind the eight bytes that say which stream it is of.

use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

use super::answer::no_such;
use super::{Call, Reply, State};

pub(super) fn logs(state: &mut State, id: &str, call: &Call) -> Reply {
    let Some(container) = state.container(id) else { return no_such(id) };
    let count = call.query("tail").parse().unwrap_or(usize::MAX);
    let skip = container.log.len().saturating_sub(count);
    let lines: Vec<String> = container.log[skip..].to_vec();
    let old = futures_util::stream::iter(lines);
    let piece = |line: String| Ok(Frame::data(framed(&format!("{line}\n"))));
    let body = if call.query("follow") == "true" {
        let (sender, receiver) = mpsc::unbounded_channel();
        container.followers.push(sender);
        let new = futures_util::stream::unfold(receiver, |mut receiver| async {
            let line = receiver.recv().await?;
            Some((line, receiver))
        });
        StreamBody::new(old.chain(new).map(piece)).boxed_unsync()
    } else {
        StreamBody::new(old.map(piece)).boxed_unsync()
    };
    Response::builder().status(200).header("content-type", "application/octet-stream").body(body).unwrap()
}

/// One piece of standard output.
pub(super) fn framed(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[1, 0, 0, 0], length.as_slice(), text.as_bytes()].concat().into()
}
