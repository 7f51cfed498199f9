//! What is sent, when, and what is said when it cannot be.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn settings(url: &str, folder: &std::path::Path) -> Settings {
    Settings {
        url: url.to_owned(),
        job: "moko_scripts".to_owned(),
        instance: "host 1".to_owned(),
        username: None,
        password_file: None,
        token_file: None,
        ca_file: None,
        timeout: Duration::from_millis(300),
        state_dir: Some(folder.join("state")),
        textfile_dir: None,
    }
}

/// A Pushgateway that takes everything, or never answers; with what it was asked.
async fn gateway(answers: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let asked = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 65536];
            let mut length = stream.read(&mut bytes).await.unwrap();
            // The body may come by itself.
            while !String::from_utf8_lossy(&bytes[..length]).ends_with('\n') {
                length += stream.read(&mut bytes[length..]).await.unwrap();
            }
            asked.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            if answers {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn a_group_is_sent_once_for_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let (url, seen) = gateway(true).await;
    let settings = settings(&url, folder.path());
    let publisher = Publisher::new(&settings).unwrap();
    let script = settings.ledger().unwrap().script("a/b");
    assert!(!publisher.publish(&script).await.unwrap(), "nothing to say yet");
    let state = script.declare().unwrap();
    assert!(script.is_pending(&state, &publisher.place("a/b")));
    assert!(publisher.publish(&script).await.unwrap());
    assert!(!script.is_pending(&state, &publisher.place("a/b")));
    assert!(!publisher.publish(&script).await.unwrap());
    let requests = seen.lock().unwrap().clone();
    assert_eq!(requests.len(), 1);
    let head = "PUT /metrics/job/moko_scripts/instance@base64/aG9zdCAx/script_name@base64/YS9i HTTP/1.1\r\n";
    assert!(requests[0].starts_with(head), "{}", requests[0]);
    assert!(requests[0].ends_with(&text(&state)), "{}", requests[0]);
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_costs_the_timeout_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = gateway(false).await;
    let settings = settings(&url, folder.path());
    let publisher = Publisher::new(&settings).unwrap();
    let script = settings.ledger().unwrap().script("x");
    let state = script.declare().unwrap();
    let error = publisher.publish(&script).await.unwrap_err();
    assert_eq!(error.message, "could not publish `x`");
    assert_eq!(error.causes.len(), 1, "{error}");
    assert!(error.causes[0].contains("within 300ms"), "{error}");
    assert!(script.is_pending(&state, &publisher.place("x")));
}

#[tokio::test]
async fn a_textfile_takes_the_place_of_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { textfile_dir: Some(folder.path().to_owned()), ..settings("http://127.0.0.1:1", folder.path()) };
    let publisher = Publisher::new(&settings).unwrap();
    let script = settings.ledger().unwrap().script("x");
    let state = script.declare().unwrap();
    assert!(publisher.publish(&script).await.unwrap());
    let file = publisher.place("x");
    assert_eq!(std::path::Path::new(&file).extension().unwrap(), "prom");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text(&state));
    publisher.withdraw("x").await.unwrap();
    publisher.withdraw("x").await.unwrap();
    assert!(!std::path::Path::new(&file).exists());
    let gone = Settings { textfile_dir: Some(folder.path().join("gone")), ..settings };
    script.update(|state| state.set("moko_circuit_breaker_state", &[("service", "x")], 1.0)).unwrap();
    let error = Publisher::new(&gone).unwrap().publish(&script).await.unwrap_err();
    assert_eq!(error.hint.unwrap(), "`push.textfile_dir` has to be an existing folder that this user may write to");
}

#[test]
fn half_a_login_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let plain = settings("http://127.0.0.1:1", folder.path());
    let user = Some("u".to_owned());
    let half = Settings { username: user.clone(), ..plain.clone() };
    let error = Publisher::new(&half).unwrap_err();
    assert_eq!(error.causes, ["the login of `push` is not complete"]);
    let both = Settings { username: user.clone(), token_file: Some(file.clone()), ..plain.clone() };
    assert_eq!(Publisher::new(&both).unwrap_err().causes, ["`push` has both a token and a login"]);
    let login = Settings { username: user, password_file: Some(file.clone()), ..plain.clone() };
    assert!(Publisher::new(&login).is_ok());
    std::fs::write(&file, "").unwrap();
    let error = Publisher::new(&login).unwrap_err();
    assert!(error.to_string().contains("it is empty") && !error.to_string().contains("s3cret"), "{error}");
}
