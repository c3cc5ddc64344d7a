//! `render`: what a template makes of a file.

use super::Usage;
use crate::args;
use crate::exit::Exit;
use crate::load::Loader;
use crate::ui::Ui;

pub(super) fn run(args: &args::Render, ui: &mut Ui) -> Result<Exit, Usage> {
    let mut loader = Loader::new(&args.variables)?;
    let rendered = loader.render(&args.file);
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(rendered) = rendered else { return Ok(Exit::Invalid) };
    ui.print(rendered.bytes());
    Ok(Exit::Success)
}
