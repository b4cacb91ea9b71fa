//! Rows of a CSV text with a header; fields with a comma are in quotation marks.

use std::collections::BTreeMap;

/// A row by column.
pub struct Row {
    columns: BTreeMap<String, String>,
}

impl Row {
    /// A column's text; empty if there is none.
    pub fn text(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", |value| value.trim())
    }

    /// A column's number.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.text(column).parse().ok()
    }

    /// A column's whole number; 0 if there is none.
    pub fn whole(&self, column: &str) -> u32 {
        self.number(column).unwrap_or(0.0) as u32
    }
}

/// The rows below the header.
pub fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(fields);
    let header = lines.next().unwrap_or_default();
    lines.map(|values| Row { columns: header.iter().cloned().zip(values).collect() }).collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => {
                if let Some(last) = fields.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    fields
}
