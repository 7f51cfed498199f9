//! Host ports for one environment, below the range from which the system gives out its own.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

const FIRST: usize = 10_000;
const BLOCK: usize = 5;
const BLOCKS: usize = 4_400;

/// Four free ports. A fifth is bound as long as this lives, so that test programs that run side by side differ.
pub(crate) struct Ports {
    pub(crate) prometheus: u16,
    pub(crate) alertmanager: u16,
    pub(crate) pushgateway: u16,
    pub(crate) grafana: u16,
    _guard: TcpListener,
}

impl Ports {
    pub(crate) fn find() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let begin = std::process::id() as usize * 131;
        for _ in 0..BLOCKS {
            let block = (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
            let port = |of: usize| u16::try_from(FIRST + block * BLOCK + of).unwrap();
            let Ok(guard) = TcpListener::bind(("127.0.0.1", port(4))) else { continue };
            if (0..4).all(|of| TcpListener::bind(("127.0.0.1", port(of))).is_ok()) {
                let (prometheus, alertmanager, pushgateway, grafana) = (port(0), port(1), port(2), port(3));
                return Self { prometheus, alertmanager, pushgateway, grafana, _guard: guard };
            }
        }
        panic!("no free ports");
    }

    /// Each port and what it is by default.
    pub(crate) fn defaults(&self) -> [(u16, &'static str); 4] {
        [(self.prometheus, "9090"), (self.alertmanager, "9093"), (self.pushgateway, "9091"), (self.grafana, "3000")]
    }
}
