//! Folders of this machine that a recipe mounts.

use std::{fs, path::Path};

use record::{Recipe, recipe::Mount};

use super::{
    super::boot::Places,
    {Finding, Level},
};

/// Mounted folders that are missing or empty. `text` is the recipe's: its comments say what goes into a folder that nothing else fills.
pub(super) fn findings(recipe: &Recipe, places: &Places, text: &str) -> Vec<Finding> {
    let mounts = recipe.container.iter().flat_map(|container| &container.mounts);
    mounts.filter_map(|mount| check_mount(mount, places, text)).collect()
}

fn check_mount(mount: &Mount, places: &Places, text: &str) -> Option<Finding> {
    let source = places.fill(&mount.source).ok().filter(|source| !source.contains("${"))?;
    let place = Path::new(&source);
    // What an engine may not write to, it can only read: an empty folder is then as good as none.
    let for_people = mount.source.strip_prefix("${CACHE}/").filter(|_| !mount.writable);
    if let Some(inner) = for_people.filter(|_| is_missing_or_empty(place)) {
        let advice =
            paragraph(text, &format!("sparkgauge/{inner}")).unwrap_or_else(|| "fill it before the first boot".to_owned());
        return Some(Finding::new(Level::Warning, format!("`{}` is missing or empty: {source}. {advice}", mount.source)));
    }
    (!place.exists()).then(|| Finding::new(Level::Note, format!("`{}` is mounted and does not exist: {source}", mount.source)))
}

fn is_missing_or_empty(place: &Path) -> bool {
    !place.is_file() && fs::read_dir(place).map_or(true, |mut entries| entries.next().is_none())
}

/// The paragraph of the comment at the top of a recipe that names this folder, as one line.
fn paragraph(text: &str, folder: &str) -> Option<String> {
    let comment = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let paragraphs = comment.fold(vec![String::new()], |mut paragraphs, line| {
        match paragraphs.last_mut() {
            Some(open) if !line.is_empty() => open.extend([if open.is_empty() { "" } else { " " }, line]),
            _ => paragraphs.push(String::new()),
        }
        paragraphs
    });
    paragraphs.into_iter().find(|paragraph| paragraph.contains(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_mount_is_reported_with_the_advice_of_the_comment() {
        let cache = tempfile::tempdir().unwrap();
        let places = Places { cache: Some(cache.path().to_path_buf()), ..Places::default() };
        let mount = |source: &str, writable| Mount { source: source.to_owned(), target: "/x".to_owned(), writable };
        let text =
            "# One.\n#\n# Once, into `sparkgauge/words` of\n# your cache folder: a file.\nname = 'x'\n# sparkgauge/other\n";
        let said = |mount: &Mount| check_mount(mount, &places, text).map(|finding| (finding.level, finding.text));
        let (level, warning) = said(&mount("${CACHE}/words", false)).unwrap();
        assert_eq!(level, Level::Warning);
        assert!(warning.ends_with("words. Once, into `sparkgauge/words` of your cache folder: a file."), "{warning}");
        assert!(said(&mount("${CACHE}/other", false)).unwrap().1.ends_with("fill it before the first boot"));
        assert_eq!(said(&mount("${CACHE}/models", true)).unwrap().0, Level::Note);
        assert_eq!(said(&mount("${HF_CACHE}", true)), None);
        fs::create_dir(cache.path().join("words")).unwrap();
        assert_eq!(said(&mount("${CACHE}/words", false)).unwrap().0, Level::Warning);
        fs::write(cache.path().join("words/a"), "").unwrap();
        assert_eq!(said(&mount("${CACHE}/words", false)), None);
        assert_eq!(said(&mount("${CACHE}/words/a", false)), None);
    }
}
