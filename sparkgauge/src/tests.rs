use clap::CommandFactory;

use super::*;

#[test]
fn command_line_definition_is_consistent() {
    Cli::command().debug_assert();
}
