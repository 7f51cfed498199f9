//! History into a Prometheus, by remote write: the one way that is fast enough.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;

use crate::series::Series;
use crate::server::Server;

/// A day, and the two hours that the first of its points look back.
const LENGTH: i64 = 26 * 3600;
/// From here on every series has a sample at every scrape.
const RECENT: i64 = 2 * 3600;
/// One request has so many seconds of so many series.
const SLICE: i64 = 600;
const SERIES: usize = 1000;
/// Requests under way at once.
const AT_ONCE: usize = 4;

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Sends what the series were up to now, oldest first, as a server sees them. Returns the number of samples.
pub(crate) fn fill(server: &Server, series: &[Series]) -> usize {
    let labels: Vec<Vec<u8>> = series.iter().map(labels).collect();
    let all: Vec<(&Series, &Vec<u8>)> = series.iter().zip(&labels).collect();
    let begin = now() / SLICE * SLICE;
    let (mut from, mut count) = (begin - LENGTH, 0);
    loop {
        let to = (from + SLICE).min(now() + 1);
        for batches in all.chunks(SERIES * AT_ONCE) {
            let requests = batches.chunks(SERIES).map(|batch| {
                let mut body = Vec::new();
                for (series, labels) in batch {
                    count += time_series(&mut body, series, labels, from, to, from < begin - RECENT);
                }
                send(server, framed(&body))
            });
            let requests: Vec<_> = requests.collect();
            server.runtime.block_on(join_all(requests));
        }
        if to < from + SLICE {
            return count;
        }
        from = to;
    }
}

async fn send(server: &Server, body: Vec<u8>) {
    let request = server.http.post(format!("{}/api/v1/write", server.url)).body(body);
    let request = request.header("Content-Type", "application/x-protobuf").header("Content-Encoding", "snappy");
    let answer = request.header("X-Prometheus-Remote-Write-Version", "0.1.0").send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {text}");
}

/// The labels of a series in protobuf: field 1, each with a name (1) and a value (2).
fn labels(series: &Series) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in &series.labels {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut bytes, 1, &label);
    }
    bytes
}

/// Adds a series with its samples (field 2, each with a value (1) and a time in milliseconds (2)); returns how many.
fn time_series(body: &mut Vec<u8>, series: &Series, labels: &[u8], from: i64, to: i64, old: bool) -> usize {
    let mut bytes = labels.to_vec();
    let step = series.step(old);
    let times = ((from + step - 1) / step * step..to).step_by(usize::try_from(step).unwrap());
    let count = times.clone().count();
    for at in times {
        let mut sample = vec![0x09];
        sample.extend(series.value(at).to_le_bytes());
        sample.push(0x10);
        number(&mut sample, u64::try_from(at * 1000).unwrap());
        field(&mut bytes, 2, &sample);
    }
    if count > 0 {
        field(body, 1, &bytes);
    }
    count
}

/// A field of protobuf that has a length.
fn field(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id << 3 | 2);
    number(bytes, content.len() as u64);
    bytes.extend(content);
}

/// Seven bits in each byte, the lowest first.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
}

/// The frame of snappy around bytes that are not compressed: the length, then literals of at most 64 KiB.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(body.len() + body.len() / 1000 + 16);
    number(&mut framed, body.len() as u64);
    for part in body.chunks(1 << 16) {
        framed.push(61 << 2);
        framed.extend(u16::try_from(part.len() - 1).unwrap().to_le_bytes());
        framed.extend(part);
    }
    framed
}
