//! The name of a script as the name of its folder: any text, of any length, each its own.

use crate::docker::archive::digest;

/// As much of the name as helps who looks into the folder.
const READABLE: usize = 40;

/// The folder of a script: the readable part of its name, and a hash that no other name has.
pub(crate) fn of(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let readable: String = name.chars().take(READABLE).map(safe).collect();
    // A leading dot would hide it, and `..` would lead out of here.
    format!("{}-{}", readable.trim_start_matches('.'), &digest(name.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_the_name_of_one_folder() {
        assert_eq!(of("backup.sh"), "backup.sh-611108f7b1232f3a");
        let long = "é/".repeat(50_000);
        let names = ["", ".", "..", "a/b", "a_b", "a\nb", "🎉", long.as_str()];
        let folders: std::collections::BTreeSet<String> = names.iter().map(|name| of(name)).collect();
        assert_eq!(folders.len(), names.len());
        for folder in folders {
            assert!(folder.len() < 100 && !folder.starts_with('.') && !folder.contains(['/', '\n']), "{folder}");
        }
    }
}
