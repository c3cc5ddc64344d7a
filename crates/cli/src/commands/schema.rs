//! `schema`: what may stand in a file.

use dataflow_runner_core::config::json_schema;
use dataflow_runner_core::schema::{find, published};
use dataflow_runner_core::suggest;

use super::Usage;
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Schema, ui: &mut Ui) -> Result<Exit, Usage> {
    match &args.name {
        None => {
            let names = published().iter().map(|schema| schema.key() + "\n");
            ui.print(names.collect::<String>().as_bytes());
        }
        Some(name) => {
            let schema = find(name).ok_or_else(|| {
                let near = suggest::suggest(name, published().iter().map(|schema| schema.name));
                let help = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "`schema` alone lists them".to_owned(),
                };
                Usage::new(format!("there is no schema {name}; {help}"))
            })?;
            if args.json_schema {
                // There is one of every published schema.
                let text = serde_json::to_string_pretty(&json_schema(&schema));
                ui.print((text.unwrap_or_default() + "\n").as_bytes());
            } else {
                ui.print(schema.text.as_bytes());
            }
        }
    }
    Ok(Exit::Success)
}
