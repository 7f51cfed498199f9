//! Images: here, and how pulling them goes.

use std::sync::Arc;

use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};

use super::answer::{json, refuse};
use super::{Call, Reply, Shared, State};

/// How a pull goes.
#[derive(Debug, Clone)]
pub(crate) enum Pull {
    /// Refused before it begins.
    Refused(u16, &'static str),
    /// An error object in the middle of a 200 stream.
    Breaks(&'static str),
    /// A first line, then nothing for ever.
    Stalls,
    /// The stream ends as if all were well, and no image is there.
    CutOff,
}

pub(super) fn inspect(state: &State, reference: &str) -> Reply {
    match state.images.get(reference) {
        Some(id) => json(200, &json!({"Id": id, "RepoTags": [reference]})),
        None => refuse(404, &format!("No such image: {reference}")),
    }
}

pub(super) fn remove(state: &mut State, reference: &str) -> Reply {
    if let Some(user) = state.containers.iter().find(|container| container.config["Image"] == reference) {
        let message = format!(
            "conflict: unable to remove repository reference \"{reference}\" (must force) - container {} is using its \
             referenced image",
            &user.id[..12]
        );
        return refuse(409, &message);
    }
    match state.images.remove(reference) {
        Some(_) => json(200, &json!([{"Untagged": reference}])),
        None => refuse(404, &format!("No such image: {reference}")),
    }
}

pub(super) fn pull(shared: &Arc<Shared>, call: &Call) -> Reply {
    let reference = format!("{}:{}", call.query("fromImage"), call.query("tag"));
    let mut state = shared.state();
    let how = state.pulls.iter().find(|(part, _)| reference.contains(part.as_str())).map(|(_, how)| how.clone());
    let layer = |current: u64| {
        let detail = json!({"current": current, "total": 2_000_000});
        json!({"status": "Downloading", "id": "a1b2c3d4e5f6", "progressDetail": detail})
    };
    let first = vec![json!({"status": format!("Pulling from {}", call.query("fromImage"))}), layer(500_000)];
    match how {
        Some(Pull::Refused(status, message)) => refuse(status, message),
        Some(Pull::Breaks(message)) => {
            let error = json!({"errorDetail": {"message": message}, "error": message});
            stream([first, vec![error]].concat(), false)
        }
        Some(Pull::Stalls) => stream(first, true),
        Some(Pull::CutOff) => stream(first, false),
        None => {
            state.load(&reference);
            let done = json!({"status": format!("Status: Downloaded newer image for {reference}")});
            stream([first, vec![layer(2_000_000), done]].concat(), false)
        }
    }
}

/// Lines of JSON; a stream that stalls never ends.
fn stream(lines: Vec<Value>, stalls: bool) -> Reply {
    let lines = lines.into_iter().map(|line| Ok(Frame::data(Bytes::from(format!("{line}\r\n")))));
    let lines = futures_util::stream::iter(lines);
    let body = if stalls {
        StreamBody::new(lines.chain(futures_util::stream::pending())).boxed_unsync()
    } else {
        StreamBody::new(lines).boxed_unsync()
    };
    Response::builder().status(200).header("content-type", "application/json").body(body).unwrap()
}
