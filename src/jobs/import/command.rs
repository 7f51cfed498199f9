//! What a line of a shell starts: the program that does the work, behind locks, limits, other users and shells.

/// What stands in front of the work: its name, the options that have their value in the next word, and how many words
/// of its own come before the program.
type Prefix = (&'static str, &'static [&'static str], usize);

const PREFIXES: &[Prefix] = &[
    ("chronic", &[], 0),
    ("chrt", &["-T", "-P", "-D"], 1),
    ("chroot", &[], 1),
    ("command", &[], 0),
    ("cronic", &[], 0),
    ("doas", &["-u", "-C"], 0),
    ("env", &["-u", "--unset", "-C", "--chdir"], 0),
    ("exec", &["-a"], 0),
    ("flock", &["-w", "--wait", "--timeout", "-E", "--conflict-exit-code"], 1),
    ("gosu", &[], 1),
    ("ionice", &["-c", "--class", "-n", "--classdata"], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("nohup", &[], 0),
    ("run-one", &[], 0),
    ("runuser", &["-u", "--user", "-g", "--group", "-G", "--supp-group", "-s", "--shell"], 0),
    ("setlock", &[], 1),
    ("setpriv", &["--reuid", "--regid", "--groups"], 0),
    ("setsid", &[], 0),
    ("stdbuf", &["-i", "--input", "-o", "--output", "-e", "--error"], 0),
    ("su", &["-s", "--shell", "-g", "--group", "-G", "--supp-group"], 1),
    ("su-exec", &[], 1),
    ("sudo", &["-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-D", "--chdir", "-T", "-C"], 0),
    ("systemd-cat", &["-t", "--identifier", "-p", "--priority"], 0),
    ("systemd-run", &["-u", "--unit", "-p", "--property", "-E", "--setenv", "--uid", "--gid", "--slice"], 0),
    ("taskset", &[], 1),
    ("time", &["-f", "--format", "-o", "--output"], 0),
    ("timeout", &["-s", "--signal", "-k", "--kill-after"], 1),
];

/// Their work is a file that they read.
const INTERPRETERS: &[Prefix] = &[
    ("bash", &["-o", "-O"], 0),
    ("dash", &["-o"], 0),
    ("java", &["-cp", "-classpath"], 0),
    ("ksh", &["-o"], 0),
    ("node", &["-r", "--require"], 0),
    ("perl", &["-I"], 0),
    ("php", &["-d", "-c"], 0),
    ("python", &["-W", "-X"], 0),
    ("ruby", &["-I", "-r"], 0),
    ("run-parts", &[], 0),
    ("sh", &["-o"], 0),
    ("zsh", &["-o"], 0),
];

/// What prepares the work, or waits for it.
const PREPARATIONS: [&str; 19] = [
    ".", ":", "[", "[[", "cd", "echo", "export", "false", "mkdir", "printf", "set", "sleep", "source", "test", "trap",
    "true", "ulimit", "umask", "wait",
];

/// What a shell reads before a command.
const KEYWORDS: [&str; 12] = ["!", "{", "}", "if", "then", "else", "elif", "fi", "do", "done", "while", "until"];

/// What only a shell can start.
const OF_SHELLS: [&str; 19] = [
    ".", ":", "!", "{", "[[", "case", "cd", "command", "eval", "exec", "export", "for", "if", "set", "source", "trap",
    "ulimit", "umask", "while",
];

/// What people would call a command: the program that does the work.
pub(super) fn name_of(command: &str) -> String {
    work(command, 3).unwrap_or_else(|| "job".to_owned())
}

/// A command as program and arguments: itself, where it has nothing that only a shell understands.
pub(super) fn words(command: &str, shell: &str) -> Vec<String> {
    if is_plain(command) {
        return command.split_whitespace().map(str::to_owned).collect();
    }
    vec![shell.to_owned(), "-c".to_owned(), command.to_owned()]
}

/// Whether a command can be started without a shell.
pub(super) fn is_plain(command: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " \t./_-+,:@%=".contains(c);
    let first = command.split_whitespace().next().unwrap_or_default();
    command.chars().all(plain) && !first.contains('=') && !OF_SHELLS.contains(&first)
}

/// The name of what does the work in a line; a shell in a shell in a shell is deep enough.
fn work(line: &str, depth: usize) -> Option<String> {
    let commands = commands(line);
    let does_work = |command: &&Vec<String>| {
        let mut words = command.iter().filter(|word| !is_assignment(word) && !KEYWORDS.contains(&word.as_str()));
        words.next().is_some_and(|first| !PREPARATIONS.contains(&base(first)) && first != "for")
    };
    let first = commands.iter().find(does_work).or_else(|| commands.first())?;
    let words: Vec<&str> = first.iter().map(String::as_str).skip_while(|word| KEYWORDS.contains(word)).collect();
    program(&words, depth)
}

/// The program that the words of one command lead to.
fn program(words: &[&str], depth: usize) -> Option<String> {
    let start = words.iter().position(|word| !is_assignment(word))?;
    let (first, rest) = words.get(start..)?.split_first()?;
    let name = base(first);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let of = |table: &'static [Prefix], name: &str| table.iter().find(|(prefix, ..)| *prefix == name);
    let interpreter = of(INTERPRETERS, plain);
    let found = match of(PREFIXES, name).or(interpreter) {
        Some((_, valued, own)) => {
            let reads = match interpreter {
                None => Reads::Program,
                Some(_) if plain.ends_with("sh") => Reads::Shell,
                Some(_) => Reads::File,
            };
            behind(rest, valued, *own, reads, depth)
        }
        None => None,
    };
    found.or_else(|| Some(name.to_owned())).filter(|name| !name.is_empty())
}

/// What a prefix takes the first word for that is neither an option nor its own.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Program,
    Shell,
    File,
}

/// What stands behind the options and the words that belong to a prefix.
fn behind(words: &[&str], valued: &[&str], mut own: usize, reads: Reads, depth: usize) -> Option<String> {
    let is_file = reads != Reads::Program;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let next = words.get(at).copied().unwrap_or_default();
        // `-c 'line'`, also as `-lc`: of shells, flock and su; nowhere else does it have a space in its value.
        let is_line = *word == "--command" || word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
        if is_line && depth > 0 && (reads == Reads::Shell || reads == Reads::Program && next.contains(' ')) {
            return work(next, depth - 1);
        }
        match *word {
            // A program as an argument, which has no name.
            "-c" | "-e" | "-r" if reads == Reads::File && !valued.contains(word) => return None,
            "-m" | "-jar" if reads == Reads::File => return Some(base(next).to_owned()),
            option if valued.contains(&option) => at += 1,
            option if option.starts_with('-') || is_assignment(option) => {}
            _ if own > 0 => own -= 1,
            file if is_file => return Some(base(file).to_owned()),
            _ => return program(words.get(at - 1..)?, depth),
        }
    }
    None
}

fn base(word: &str) -> &str {
    word.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.starts_with(|c: char| !c.is_ascii_digit())
    })
}

/// Whether a line is one command alone.
pub(super) fn is_single(line: &str) -> bool {
    commands(line).len() <= 1
}

/// The commands of a line of a shell, each as its words without quotes and redirections.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut is_target = false;
    let mut chars = line.chars().peekable();
    let end = |word: &mut Option<String>, is_target: &mut bool, commands: &mut Vec<Vec<String>>| {
        if let Some(word) = word.take()
            && !std::mem::take(is_target)
            && let Some(command) = commands.last_mut()
        {
            command.push(word);
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' | '`' => {
                let inside = word.get_or_insert_default();
                while let Some(c) = chars.next().filter(|inner| *inner != c) {
                    inside.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            // `$(…)` is part of a word, with all that it has inside.
            '$' if chars.peek() == Some(&'(') => {
                let (inside, mut depth) = (word.get_or_insert_default(), 0);
                for c in chars.by_ref() {
                    inside.push(c);
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    if depth == 0 {
                        break;
                    }
                }
            }
            '<' | '>' => {
                // `2>`: the number belongs to it.
                if word.as_ref().is_some_and(|word| word.chars().all(|c| c.is_ascii_digit())) {
                    word = None;
                }
                end(&mut word, &mut is_target, &mut commands);
                while chars.next_if(|next| "<>&|".contains(*next)).is_some() {}
                is_target = true;
            }
            '&' if chars.peek() == Some(&'>') => {}
            '&' | '|' | ';' | '(' | ')' | '\n' => {
                end(&mut word, &mut is_target, &mut commands);
                commands.push(Vec::new());
            }
            c if c.is_whitespace() => end(&mut word, &mut is_target, &mut commands),
            '#' if word.is_none() => break,
            c => word.get_or_insert_default().push(c),
        }
    }
    end(&mut word, &mut is_target, &mut commands);
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_called_after_the_program_that_does_the_work() {
        for (command, name) in [
            ("/srv/backup.sh --full", "backup.sh"),
            ("flock -n /run/lock/x.lock /srv/backup.sh", "backup.sh"),
            ("flock -w 10 /lock -c 'cd /srv && ./sync.sh all'", "sync.sh"),
            ("nice -n 10 /srv/a.sh", "a.sh"),
            ("nice -10 ionice -c3 /srv/a.sh", "a.sh"),
            ("ionice -c 2 -n 7 a.sh", "a.sh"),
            ("timeout 1h /srv/a.sh", "a.sh"),
            ("timeout -k 5s --signal=INT 1h a.sh", "a.sh"),
            ("env A=b PATH=/x:/y a.sh", "a.sh"),
            ("A=b C='d e' a.sh", "a.sh"),
            ("sudo -u x -H a.sh", "a.sh"),
            ("su - postgres -c 'pg_dumpall > /x'", "pg_dumpall"),
            ("su postgres -c \"vacuumdb --all\"", "vacuumdb"),
            ("runuser -u x -- a.sh", "a.sh"),
            ("/usr/bin/nohup a.sh &", "a.sh"),
            ("chronic a.sh", "a.sh"),
            ("setsid -w a.sh", "a.sh"),
            ("exec a.sh", "a.sh"),
            ("sh -c '/srv/a.sh | logger'", "a.sh"),
            ("bash -lc 'source ~/.profile; cd /srv && ./a.sh'", "a.sh"),
            ("/bin/bash -e /srv/a.sh now", "a.sh"),
            ("cd /x && ./y.sh", "y.sh"),
            ("cd '/my files' ; ./y.sh", "y.sh"),
            ("test -x /usr/sbin/a && /usr/sbin/a -q", "a"),
            ("[ -x /usr/sbin/a ] && b", "b"),
            ("[ -d /run/systemd/system ] || /usr/sbin/e2scrub_all -A -r", "e2scrub_all"),
            ("test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }", "cron.daily"),
            ("if [ -e /x ]; then /srv/a.sh; fi", "a.sh"),
            ("sleep $((RANDOM % 60)); a.sh", "a.sh"),
            ("python3.11 -u -m backup.run --all", "backup.run"),
            ("/opt/venv/bin/python /srv/a.py", "a.py"),
            ("php8.2 -d memory_limit=1G artisan schedule:run", "artisan"),
            ("php -r 'echo 1;'", "php"),
            ("python3 -c 'import a && b'", "python3"),
            ("node --require dotenv/config a.js", "a.js"),
            ("java -Xmx1g -jar /srv/a.jar", "a.jar"),
            ("> /dev/null 2>&1 a.sh x", "a.sh"),
            ("a.sh>/dev/null 2>&1", "a.sh"),
            ("curl -fsS https://x/y?a=b", "curl"),
            ("time -f %e a.sh", "a.sh"),
            ("flock /lock timeout 1h sudo -u x nice sh -c 'exec /srv/a.sh'", "a.sh"),
            ("cd /srv", "cd"),
            ("flock /lock", "flock"),
            ("", "job"),
        ] {
            assert_eq!(name_of(command), name, "{command}");
        }
    }

    #[test]
    fn a_shell_is_asked_for_what_only_it_understands() {
        for plain in ["/srv/a.sh --day=1", "flock -n /lock a.sh", "env A=b a.sh"] {
            assert!(is_plain(plain), "{plain}");
        }
        for shell in ["A=b a.sh", "a | b", "a 'b c'", "exec a", "cd /x", "a $HOME", "a ~/b", "a *.log"] {
            assert_eq!(words(shell, "bash"), ["bash", "-c", shell]);
        }
        assert!(is_single("sh -c 'a && b' > /x 2>&1") && !is_single("sh -c 'a' && b"));
    }
}
