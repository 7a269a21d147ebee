//! The prose of reports and verdicts: template files, which a person reads and changes whole. What goes into them is computed here and
//! comes as finished text: figures with units, texts of others as code spans, tables.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use super::plural;

/// Every template by its name.
const FILES: [(&str, &str); 8] = [
    ("report_top", include_str!("templates/report_top.md.j2")),
    ("report_rest", include_str!("templates/report_rest.md.j2")),
    ("verdict_top", include_str!("templates/verdict_top.md.j2")),
    ("verdict_rest", include_str!("templates/verdict_rest.md.j2")),
    ("next_step", include_str!("templates/next_step.md.j2")),
    ("notes", include_str!("templates/notes.md.j2")),
    ("what_changed", include_str!("templates/what_changed.md.j2")),
    ("legend", include_str!("templates/legend.md.j2")),
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.unwrap_or_else(|error| panic!("templates: {error:#}")));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_function("plural", |count: usize, one: String| plural(count, &one));
    for (name, text) in FILES {
        environment.add_template(name, text).unwrap_or_else(|error| panic!("template {name}: {error:#}"));
    }
    environment
});

/// A template with its facts filled in, without empty lines beyond one between blocks.
///
/// # Panics
/// If the template is wrong or asks for a fact that is not there: both are bugs, and every template is rendered by tests.
pub(super) fn fill(name: &str, facts: Value) -> String {
    let filled = TEMPLATES.get_template(name).and_then(|template| template.render(facts));
    one_empty_line(&filled.unwrap_or_else(|error| panic!("template {name}: {error:#}")))
}

/// A line of a template by itself, without its line break.
pub(super) fn fill_line(name: &str, facts: Value) -> String {
    fill(name, facts).trim().to_owned()
}

fn one_empty_line(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut was_empty = true;
    for line in text.lines() {
        let is_empty = line.trim().is_empty();
        if !(is_empty && was_empty) {
            kept.push_str(if is_empty { "" } else { line });
            kept.push('\n');
        }
        was_empty = is_empty;
        // GitHub takes what follows a closing tag at once for HTML.
        if line == "</details>" {
            kept.push('\n');
            was_empty = true;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept.push('\n');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_files_are_all_valid() {
        for (name, _) in FILES {
            assert!(TEMPLATES.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn empty_lines_are_collapsed_to_one() {
        assert_eq!(one_empty_line("\n\na\n\n \n\nb\n\n"), "a\n\nb\n");
    }
}
