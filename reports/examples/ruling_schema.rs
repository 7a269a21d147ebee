//! Prints the JSON schema of a ruling, or with `--file-name` what its file is called: `cargo xtask regenerate schemas` writes it.

use std::io::Write;

use reports::schema::{file_name, schema};

fn main() -> std::io::Result<()> {
    let text = if std::env::args().nth(1).as_deref() == Some("--file-name") {
        file_name()
    } else {
        serde_json::to_string_pretty(&schema())?
    };
    writeln!(std::io::stdout(), "{text}")
}
