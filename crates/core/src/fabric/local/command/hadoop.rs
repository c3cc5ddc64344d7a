//! What Hadoop's own programs run.

use std::path::{Path, PathBuf};

use super::super::word::Word;
use super::places::Reach;
use super::{Making, file_name};
use crate::config::playbook::Work;
use crate::diagnostic::code;
use crate::plan::is_local;
use crate::secret::Text;

/// Where a distribution of Hadoop has the jars of its tools, below its home.
const TOOLS: &str = "share/hadoop/tools/lib";

impl Making<'_> {
    /// A jar, by Hadoop where there is one, else by Java.
    pub(super) fn jar(&mut self, jar: &Text, main_class: Option<&Text>, work: &Work) {
        if let Some(hadoop) = self.maker.find("hadoop") {
            self.path(&hadoop);
            self.plain("jar");
            self.file(jar, "the jar", Reach::Machine);
            self.made.argv.extend(main_class.map(Word::of));
            self.defines(work);
        } else {
            match self.maker.find("java") {
                Some(java) => self.path(&java),
                None => self.fault(
                    code::MISSING_TOOL,
                    Some(jar),
                    "the jar",
                    "needs Hadoop or Java, and neither is installed here",
                    "install one, or name it in `tools` of the cluster's configuration, in HADOOP_HOME or JAVA_HOME",
                ),
            }
            self.defines(work);
            self.plain(if main_class.is_some() { "-cp" } else { "-jar" });
            self.file(jar, "the jar", Reach::Machine);
            self.made.argv.extend(main_class.map(Word::of));
        }
        self.texts(&work.arguments);
    }

    /// Hadoop streaming, with its generic options first.
    pub(super) fn streaming(
        &mut self,
        work: &Work,
        mapper: &Text,
        reducer: Option<&Text>,
        [source, destination]: [&Text; 2],
    ) {
        self.streaming_tool();
        self.properties("-D", work);
        let mut names: Vec<&str> = work.files.iter().map(|file| file_name(file.expose())).collect();
        let programs = [("the mapper", Some(mapper)), ("the reducer", reducer)];
        let words: Vec<_> = programs
            .into_iter()
            .map(|(what, program)| program.and_then(|text| self.brought(text, what, &mut names)))
            .collect();
        if !names.is_empty() {
            self.plain("-files");
            self.plain(&names.join(","));
        }
        for (option, word) in ["-mapper", "-reducer"].into_iter().zip(words) {
            self.plain(option);
            // Without a reducer Hadoop would sort and pass on, had it not this word.
            self.made.argv.push(word.unwrap_or_else(|| Word::plain("NONE")));
        }
        for (option, what, place) in
            [("-input", "the source", source), ("-output", "the destination", destination)]
        {
            self.plain(option);
            let word = self.place(place, what, Reach::Tool);
            self.made.argv.extend(word);
        }
        self.texts(&work.arguments);
    }

    /// Streaming is a jar among Hadoop's tools; of distributions that have it elsewhere, Hadoop 3's `mapred` knows.
    fn streaming_tool(&mut self) {
        let hadoop = self.maker.find("hadoop");
        if let Some((hadoop, jar)) = hadoop.and_then(|it| streaming_jar(&it).map(|jar| (it, jar))) {
            self.path(&hadoop);
            self.plain("jar");
            self.path(&jar);
        } else if let Some(mapred) = self.maker.find("mapred") {
            self.path(&mapred);
            self.plain("streaming");
        } else {
            let wrong = "needs Hadoop streaming, which is not found";
            let help = format!(
                "install Hadoop with `{TOOLS}/hadoop-streaming-*.jar` or its `mapred`, or name its folder in `tools` of the \
                 cluster's configuration or in HADOOP_HOME"
            );
            self.fault(code::MISSING_TOOL, None, "the step", wrong, &help);
        }
    }

    /// A mapper or reducer. One that lies beside the playbook is put into the step's folder, and Hadoop told to take it along.
    fn brought<'t>(
        &mut self,
        program: &'t Text,
        what: &'static str,
        names: &mut Vec<&'t str>,
    ) -> Option<Word> {
        if !is_local(program.expose()) {
            return Some(self.mapped(program));
        }
        let path = self.locate(program, what, Reach::Machine)?;
        let name = file_name(program.expose());
        let path = PathBuf::from(path.value);
        match self.made.files.get(name) {
            Some(known) if *known != path => {
                let wrong = "has the same name as another file of this step";
                self.fault(code::DUPLICATE_FILE, Some(program), what, wrong, "");
            }
            Some(_) => {}
            None => _ = self.made.files.insert(name.to_owned(), path),
        }
        if !names.contains(&name) {
            names.push(name);
        }
        Some(Word::plain(&format!("./{name}")))
    }
}

/// The jar of streaming in the Hadoop whose `bin/hadoop` this is, also where that is a link.
fn streaming_jar(hadoop: &Path) -> Option<PathBuf> {
    let homes = [Some(hadoop.to_owned()), hadoop.canonicalize().ok()];
    homes.into_iter().flatten().find_map(|program| {
        let folder = program.parent()?.parent()?.join(TOOLS);
        let entries = folder.read_dir().ok()?.filter_map(Result::ok);
        let is_it = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("hadoop-streaming") && name.ends_with(".jar"))
        };
        entries.map(|entry| entry.path()).filter(is_it).min()
    })
}
