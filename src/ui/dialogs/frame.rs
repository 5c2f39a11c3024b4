//! What all dialogs share: the box with title and buttons, Escape and Enter, the first field.

use egui::{Align, Id, Key, Layout, Margin, Modal, Response, Ui};

use crate::locale::tr;
use crate::ui::theme::{self, colors, icon};
use crate::ui::widgets::{ButtonState, icon_button_sized, primary_button};

/// A dialog's box.
#[must_use = "call `show`"]
pub struct DialogFrame<'a> {
    id: &'static str,
    title: &'a str,
    width_px: f32,
    keeps_keys: bool,
}

/// What the user did with a dialog in this frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Footer {
    /// Nothing that ends it.
    #[default]
    Open,
    /// Closed it without confirming.
    Cancelled,
    /// Confirmed it.
    Confirmed,
}

/// Gives the focus to the first field that a new dialog draws.
#[derive(Clone, Copy, Debug)]
pub struct FirstField(bool);

impl Default for FirstField {
    fn default() -> Self {
        Self(true)
    }
}

impl FirstField {
    /// Gives a field the focus, unless one has had it.
    pub fn focus(&mut self, field: &Response) {
        if std::mem::take(&mut self.0) {
            field.request_focus();
        }
    }
}

impl Footer {
    /// Cancel and a button that confirms, which Enter presses too.
    pub fn confirm(ui: &mut Ui, label: &str, can_confirm: bool, enter: bool) -> Self {
        let mut footer = Self::Open;
        let right = Layout::right_to_left(Align::Center);
        ui.with_layout(right, |ui| {
            let confirm = ui.add_enabled_ui(can_confirm, |ui| primary_button(ui, label)).inner;
            if confirm.clicked() || (enter && can_confirm) {
                footer = Self::Confirmed;
            }
            if ui.button(tr("Cancel")).clicked() {
                footer = Self::Cancelled;
            }
        });
        footer
    }

    /// One button that closes, at the right; Enter presses it too.
    pub fn close_only(ui: &mut Ui) -> Self {
        let right = Layout::right_to_left(Align::Center);
        let closed = ui.with_layout(right, |ui| primary_button(ui, tr("Close")).clicked()).inner;
        if closed { Self::Cancelled } else { Self::Open }
    }
}

impl<'a> DialogFrame<'a> {
    /// A box with a title.
    pub const fn new(id: &'static str, title: &'a str) -> Self {
        Self { id, title, width_px: theme::DIALOG_PX, keeps_keys: false }
    }

    /// Makes it wider or narrower.
    pub const fn width(mut self, width_px: f32) -> Self {
        self.width_px = width_px;
        self
    }

    /// Escape doesn't close it now, because something in it needs the key.
    pub const fn keeps_keys(mut self) -> Self {
        self.keeps_keys = true;
        self
    }

    /// Draws it. The footer is told whether Enter was pressed where it means to confirm.
    pub fn show(
        self,
        ui: &Ui,
        add_contents: impl FnOnce(&mut Ui),
        add_footer: impl FnOnce(&mut Ui, bool) -> Footer,
    ) -> Footer {
        let colors = colors(ui);
        let ctx = ui.ctx();
        // A focused button is pressed by Enter itself; a text field only lets go of it.
        let focus_takes_enter =
            ctx.memory(|memory| memory.focused().is_some()) && !ctx.text_edit_focused();
        let enter = ctx.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.any())
            && !focus_takes_enter
            && !ctx.any_popup_open();
        let mut cross = false;
        let modal = Modal::new(Id::unique(self.id))
            .backdrop_color(colors.backdrop)
            .frame(
                egui::Frame::window(ui.style())
                    .fill(colors.panel)
                    .inner_margin(Margin::same(theme::SPACE_L as i8)),
            )
            .show(ctx, |ui| {
                let most = ctx.content_rect().width() - 2.0 * theme::SPACE_XL;
                ui.set_width(self.width_px.min(most));
                ui.horizontal(|ui| {
                    ui.heading(self.title);
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let label = tr("Close this window");
                        let button =
                            icon_button_sized(ui, icon::CLOSE, label, ButtonState::Normal, 24.0);
                        cross = button.on_hover_text(label).clicked();
                    });
                });
                ui.add_space(theme::SPACE_S);
                add_contents(ui);
                ui.add_space(theme::SPACE_M);
                ui.horizontal(|ui| add_footer(ui, enter)).inner
            });
        let escaped = !self.keeps_keys && modal.should_close();
        match modal.inner {
            Footer::Open if cross || escaped => Footer::Cancelled,
            footer => footer,
        }
    }
}
