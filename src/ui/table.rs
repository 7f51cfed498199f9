//! Columns for people.

/// Lays out rows in columns as wide as their widest cell, two spaces apart; the first row is the heading.
#[must_use]
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text of somebody else's as a cell: on one line, and cut where it is very long.
#[must_use]
pub fn cell(text: &str) -> String {
    const WIDEST: usize = 60;
    let shown: String = text.chars().take(WIDEST).flat_map(char::escape_debug).collect();
    let shown = shown.replace("\\'", "'").replace("\\\"", "\"");
    if text.chars().count() > WIDEST { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cell_stays_on_its_line() {
        assert_eq!(super::cell("it's \"ü\"\n"), "it's \"ü\"\\n");
        assert_eq!(super::cell(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = super::columns(&[row(["NAME", "S", ""]), row(["a", "ready", "x"])]);
        assert_eq!(text, "NAME  S\na     ready  x");
    }
}
