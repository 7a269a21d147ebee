//! Prints the page of what was published and what the twin says: `cargo xtask regenerate published` writes it.

use std::{error::Error, io::Write};

use twin::published::{page, published_data};

fn main() -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(page(&published_data()?)?.as_bytes())?)
}
