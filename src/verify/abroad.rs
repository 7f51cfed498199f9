//! Hints for a stack that is not ours: what only helps with our own is left out.

/// What remains of a hint where neither `moko-mon up` nor any other command of a stack of ours does anything.
pub(super) fn hint(hint: &str) -> String {
    let kept: Vec<String> = hint.split("; ").filter_map(clause).collect();
    if kept.is_empty() { "mend it in that server's own configuration".to_owned() } else { kept.join("; ") }
}

/// A clause without its last part if that is a command of ours; `None` if nothing else is in it.
fn clause(text: &str) -> Option<String> {
    let text = logs(text);
    let Some((before, _)) = text.split_once("`moko-mon ") else { return Some(text) };
    let end = [", ", ": "].into_iter().filter_map(|mark| before.rfind(mark)).max()?;
    Some(text[..end].to_owned())
}

/// `moko-mon logs` names a log that everybody has somewhere.
fn logs(text: &str) -> String {
    const COMMAND: &str = "`moko-mon logs ";
    let Some((before, rest)) = text.split_once(COMMAND) else { return text.to_owned() };
    let Some((name, after)) = rest.split_once('`') else { return text.to_owned() };
    let title = crate::component::Component::from_name(name).map_or(name, |component| component.title());
    let before = before.strip_suffix("with ").map_or(before.to_owned(), |before| format!("{before}in "));
    format!("{before}the log of that {title}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_helps_with_a_stack_of_ours_is_left_out() {
        for (ours, theirs) in [
            (
                "see why with `moko-mon logs prometheus`; `moko-mon up` delivers ours again",
                "see why in the log of that Prometheus",
            ),
            (
                "`moko-mon logs prometheus` names the target: often two targets push the same",
                "the log of that Prometheus names the target: often two targets push the same",
            ),
            (
                "see what keeps it busy with `moko-mon logs prometheus`; is the disk full?",
                "see what keeps it busy in the log of that Prometheus; is the disk full?",
            ),
            ("the reason is in `moko-mon logs alertmanager`", "the reason is in the log of that Alertmanager"),
            (
                "try the expression on Prometheus' own page, mend it in its rule file, then `moko-mon up`",
                "try the expression on Prometheus' own page, mend it in its rule file",
            ),
            (
                "open the panel in Grafana, or mend the dashboard's file and run `moko-mon up`",
                "open the panel in Grafana",
            ),
            (
                "end the silence in Alertmanager's page: `moko-mon open alertmanager`",
                "end the silence in Alertmanager's page",
            ),
            (
                "give it more time with `--timeout 30s`; see what is slow with `moko-mon status`",
                "give it more time with `--timeout 30s`",
            ),
            ("bring it back with `moko-mon up`", "mend it in that server's own configuration"),
            ("set `honor_labels: true` in that scrape job", "set `honor_labels: true` in that scrape job"),
        ] {
            assert_eq!(hint(ours), theirs);
        }
    }
}
