//! Takes out of output what differs from run to run, and brings the steps of chains that ran side by side in order.

const COMPONENTS: [&str; 5] = ["project", "prometheus", "alertmanager", "pushgateway", "grafana"];

/// Replaces `from` where no letter or digit touches it.
pub(crate) fn word(text: &str, from: &str, to: &str) -> String {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let before = rest[..at].chars().next_back().or_else(|| result.chars().next_back().filter(|_| at == 0));
        let after = rest[at + from.len()..].chars().next();
        result.push_str(&rest[..at]);
        result.push_str(if inside(before) || inside(after) { from } else { to });
        rest = &rest[at + from.len()..];
    }
    result + rest
}

/// Replaces runs of at least twelve hex digits that hold a digit.
pub(crate) fn ids(text: &str) -> String {
    let mut result = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            run.push(c);
            continue;
        }
        let is_id = run.len() >= 12 && run.chars().any(|c| c.is_ascii_digit());
        result.push_str(if is_id { "[id]" } else { &run });
        run.clear();
        result.push(c);
    }
    result.pop();
    result
}

/// Replaces what follows `before` up to `after`.
pub(crate) fn between(text: &str, before: &str, after: &str, to: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        result.push_str(head);
        rest = tail;
        let end = tail.find(after).filter(|end| tail[..*end].starts_with(|c: char| c.is_ascii_digit()));
        if let Some(end) = end {
            result.push_str(to);
            rest = &tail[end..];
        }
    }
    result + rest
}

/// Sorts each block of progress lines by component, without their times and without lines that only a slow run has.
pub(crate) fn progress(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut block: Vec<(usize, String)> = Vec::new();
    let flush = |block: &mut Vec<(usize, String)>, lines: &mut Vec<String>| {
        block.sort_by_key(|(of, _)| *of);
        lines.extend(block.drain(..).map(|(_, line)| line));
    };
    for line in text.lines() {
        let of = COMPONENTS.iter().position(|name| line.split_whitespace().next() == Some(name));
        if let Some(of) = of {
            if line.get(14..).is_some_and(|rest| rest.starts_with("waiting")) {
                continue;
            }
            block.push((of, untimed(line)));
        } else if !line.starts_with("pulling ") {
            flush(&mut block, &mut lines);
            lines.push(line.to_owned());
        }
    }
    flush(&mut block, &mut lines);
    lines.join("\n")
}

/// The line without the duration at its end.
fn untimed(line: &str) -> String {
    let Some(rest) = line.strip_suffix(" s") else { return line.to_owned() };
    let rest = rest.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    rest.trim_end().to_owned()
}
