//! The line for cron and the unit for systemd, run by the real cron and the real systemd, each in a mount namespace of its
//! own, so that nothing of the machine's own is touched.

use std::process::{Child, Command};

use super::{EXAMPLES, Site};

/// A crontab of its own, and a lock of its own, whatever cron runs on this machine.
const CRON: &str = r#"set -e
mount -t tmpfs none /var/spool/cron
mkdir -m 1730 /var/spool/cron/crontabs
install -m 600 "$1" /var/spool/cron/crontabs/root
touch /run/crond.pid /var/spool/cron/pid
mount --bind /var/spool/cron/pid /run/crond.pid
mkdir -p /var/spool/cron/cron.d
mount --bind /var/spool/cron/cron.d /etc/cron.d
exec /usr/sbin/cron -f"#;
/// A manager for one user, which asks whether the machine has been started by systemd.
const SYSTEMD: &str = r"set -e
mkdir -p /run/systemd
mount -t tmpfs none /run/systemd
mkdir /run/systemd/system
exec /lib/systemd/systemd --user --log-target=console";

/// A daemon in a namespace of its own, ended with the test.
struct Daemon(Child);

impl Daemon {
    fn start(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Site {
    /// An example with the folders and the address of this site in place of those that it is written with.
    fn adapted(&self, example: &str, more: &[(&str, &str)]) -> String {
        let mut text = std::fs::read_to_string(format!("{EXAMPLES}/{example}")).unwrap();
        let (bin, url) = (self.bin.to_str().unwrap().to_owned(), self.stack.url("pushgateway"));
        let (from, to) = (self.path("data"), self.path("backups"));
        let own = [
            ("/usr/local/bin", bin.as_str()),
            ("http://127.0.0.1:9091", &url),
            ("/srv/data", &from),
            ("/srv/backup", &to),
        ];
        for (written, here) in own.iter().chain(more) {
            assert!(text.contains(written), "{example} has no {written}");
            text = text.replace(written, here);
        }
        text
    }

    fn isolated(&self, script: &str, argument: &str) -> Command {
        self.command("unshare", &["--mount", "--kill-child", "sh", "-c", script, "sh", argument])
    }
}

#[test]
fn crons_line_and_systemds_unit_run_the_backup_and_report_it() {
    let site = Site::new("# nothing\n");
    site.stack.write("data/one", "1");
    let state = format!("\nMOKO_MON_PUSH_STATE_DIR={}\n0 3 * * 1-5", site.path("state"));
    let line = [("\n0 3 * * 1-5", state.as_str()), ("0 3 * * 1-5", "* * * * *"), ("--name backup", "--name from-cron")];
    site.stack.write("crontab", &site.adapted("cron/backup.cron", &line));
    let cron = Daemon::start(site.isolated(CRON, &site.path("crontab")));

    let timer = format!("{EXAMPLES}/systemd/moko-backup.timer");
    let calendar = std::fs::read_to_string(&timer).unwrap();
    let calendar = calendar.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    site.run("systemd-analyze", &["calendar", calendar]).code(0);
    // Where the folder of programs is one that systemd knows, none of this is needed.
    let service = format!(
        "[Service]\nEnvironment=PATH={}:/usr/bin:/bin MOKO_MON_PUSH_STATE_DIR={}",
        site.bin.display(),
        site.path("state")
    );
    let own = [("[Service]", service.as_str()), ("--name backup", "--name from-systemd")];
    let unit = site.adapted("systemd/moko-backup.service", &own);
    site.stack.write("config/systemd/user/moko-backup.service", &unit);
    std::fs::create_dir(site.path("runtime")).unwrap();
    let user = |mut command: Command| {
        command.env("XDG_RUNTIME_DIR", site.path("runtime")).env("XDG_CONFIG_HOME", site.path("config"));
        command
    };
    let systemd = Daemon::start(user(site.isolated(SYSTEMD, "")));
    crate::support::eventually("systemd runs the unit to its end", || {
        let output = user(site.command("systemctl", &["--user", "start", "moko-backup.service"])).output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    });
    site.holds(r#"moko_script_executions_total{script_name="from-systemd",status="success"} == 1"#);
    site.holds(r#"backup_size_bytes{script_name="from-systemd"} > 0"#);
    drop(systemd);

    // cron begins with the next minute.
    site.holds(r#"moko_script_executions_total{script_name="from-cron",status="success"} >= 1"#);
    site.holds(r#"moko_script_last_execution_timestamp_seconds{script_name="from-cron",status="success"} > 0"#);
    drop(cron);
}
