//! "Did you mean": the nearest of the names that would have been right.

/// The nearest of `known` to `given`, if it is near enough to be meant: equal but for case, or at most a third
/// of its letters (one at least) wrong. The first of equally near ones.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.to_lowercase().chars().collect();
    let limit = (given.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let letters: Vec<char> = name.to_lowercase().chars().collect();
        if letters.len().abs_diff(given.len()) > limit {
            continue;
        }
        let distance = distance(&given, &letters);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["jar", "mainClass", "arguments", "properties"];
        assert_eq!(nearest("argumnets", known), Some("arguments"), "a swap is one fault");
        assert_eq!(nearest("MAINCLASS", known), Some("mainClass"));
        assert_eq!(nearest("jars", known), Some("jar"));
        assert_eq!(nearest("steps", known), None);
        assert_eq!(nearest("", known), None);
    }
}
