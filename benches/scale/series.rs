//! The series of a made-up team: two hosts run the same scripts.

/// One series: its labels, sorted by name, and what its value is at a time.
pub(crate) struct Series {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) kind: Kind,
    /// Shifts its events, so that not all of them happen at once.
    pub(crate) phase: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A total that grows by one each so many seconds.
    Total {
        period: i64,
    },
    /// A bucket of a histogram with a run every ten minutes: this many in a hundred runs are in it.
    Bucket {
        share: i64,
    },
    /// The time of the last run.
    Last {
        period: i64,
    },
    /// The calls that are left of a quota of 5000 an hour.
    Remaining,
    /// The end of the hour.
    Reset,
    Constant(i64),
    /// A series that a rule records, once a minute.
    Recorded(i64),
}

/// How long a sample of old history may be away from the next one: nothing reads more than the last hour of these.
const COARSE: i64 = 300;
const SCRAPE: i64 = 15;

impl Series {
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.kind, Kind::Recorded(_))
    }

    /// Seconds between samples. Where no panel and no rule reads old samples, there are fewer of them: Prometheus has to
    /// be filled in a minute.
    pub(crate) fn step(&self, old: bool) -> i64 {
        match self.kind {
            Kind::Recorded(_) => 60,
            Kind::Bucket { .. } | Kind::Last { .. } if old => COARSE,
            _ => SCRAPE,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch, with ten digits")]
    pub(crate) fn value(&self, at: i64) -> f64 {
        let at = at + self.phase;
        (match self.kind {
            Kind::Total { period } => at / period % 1_000_000,
            Kind::Bucket { share } => at / 600 % 1_000_000 * share / 100,
            Kind::Last { period } => at / period * period - self.phase,
            Kind::Remaining => 5000 - at % 3600,
            Kind::Reset => (at / 3600 + 1) * 3600 - self.phase,
            Kind::Constant(value) | Kind::Recorded(value) => value,
        }) as f64
    }
}

/// Twenty series for each script on each host, six recorded ones for each script, and a few dozen others. The team is
/// well: no alert about scripts fires.
pub(crate) fn team(scripts: usize) -> Vec<Series> {
    let mut all = Vec::new();
    for script in 0..scripts {
        let phase = i64::try_from(script).unwrap() * 7;
        let name = format!("script-{script:04}.sh");
        for host in ["host-a", "host-b"] {
            let mut add = |metric: &str, more: Option<(&'static str, &str)>, kind| {
                let mut labels =
                    vec![("__name__", metric.to_owned()), ("instance", host.to_owned()), ("job", "moko".to_owned())];
                labels.push(("script_name", name.clone()));
                labels.extend(more.map(|(label, value)| (label, value.to_owned())));
                labels.sort();
                all.push(Series { labels, kind, phase });
            };
            for (status, period) in [("success", 600), ("failure", 24_000)] {
                let status = Some(("status", status));
                add("moko_script_executions_total", status, Kind::Total { period });
                add("moko_script_last_execution_timestamp_seconds", status, Kind::Last { period });
            }
            let ends = [
                "0.5", "1.0", "2.0", "5.0", "10.0", "30.0", "60.0", "120.0", "300.0", "600.0", "1200.0", "3600.0",
                "7200.0", "+Inf",
            ];
            for (share, le) in (1..).map(|bucket| (bucket * 13).min(100)).zip(ends) {
                add("moko_script_duration_seconds_bucket", Some(("le", le)), Kind::Bucket { share });
            }
            add("moko_script_duration_seconds_count", None, Kind::Bucket { share: 100 });
            add("moko_script_duration_seconds_sum", None, Kind::Bucket { share: 3000 });
        }
        let mut add = |metric: &str, status: Option<&str>, value| {
            let mut labels = vec![("__name__", metric.to_owned()), ("script_name", name.clone())];
            labels.extend(status.map(|status| ("status", status.to_owned())));
            all.push(Series { labels, kind: Kind::Recorded(value), phase });
        };
        add("script_name_status:moko_script_executions_total:increase1h", Some("success"), 12);
        add("script_name_status:moko_script_executions_total:increase1h", Some("failure"), 0);
        add("script_name_status:moko_script_executions_total:delta1m", Some("success"), 1);
        add("script_name_status:moko_script_executions_total:delta1m", Some("failure"), 0);
        add("script_name:moko_script_duration_seconds:p50", None, 30);
        add("script_name:moko_script_duration_seconds:p95", None, 200);
    }
    all.extend(others());
    all
}

fn others() -> Vec<Series> {
    let mut all = Vec::new();
    let mut add = |metric: &str, labels: &[(&'static str, &str)], kind| {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let labels = [("__name__", metric.to_owned())].into_iter().chain(labels).collect();
        all.push(Series { labels, kind, phase: 0 });
    };
    for host in ["host-a", "host-b"] {
        for api in ["github", "github_search", "gitlab", "registry"] {
            let labels = [("api", api), ("instance", host)];
            add("moko_api_rate_limit_remaining", &labels, Kind::Remaining);
            add("moko_api_rate_limit_total", &labels, Kind::Constant(5000));
            add("moko_api_rate_limit_reset_timestamp_seconds", &labels, Kind::Reset);
        }
        for service in ["github", "gitlab", "registry", "smtp"] {
            add("moko_circuit_breaker_state", &[("instance", host), ("service", service)], Kind::Constant(0));
        }
        for kind in ["credential", "dangerous_function", "file_permissions"] {
            for severity in ["low", "medium", "high", "critical"] {
                let labels = [("finding_type", kind), ("instance", host), ("severity", severity)];
                add("moko_security_findings_total", &labels, Kind::Total { period: 40_000 });
            }
        }
    }
    all
}
