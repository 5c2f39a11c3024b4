//! Errors in the user's language, each with what can be done about it.
//!
//! Those that a user meets in the window have sentences of their own; the rest keep the text that
//! the error itself has, which is English.

use crate::document::DocumentError;
use crate::editor::Action;
use crate::engine::event::{Failure, FailureCause};
use crate::locale::{tr, trf};

use super::sentence;

/// What is told, and what is offered with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// What happened, and what to do about it.
    pub(super) text: String,
    /// What does it with one click.
    pub(super) offer: Option<Action>,
}

/// Why an edit can't be done.
pub(super) fn of_document(error: &DocumentError) -> Told {
    let (text, offer) = match error {
        DocumentError::Locked(name) => (
            trf("The layer “{name}” is locked. Unlock it to change it.", &[("name", name)]),
            Some(Action::ToggleLayerLocked),
        ),
        DocumentError::Hidden(name) => (
            trf("The layer “{name}” is hidden. Show it to paint on it.", &[("name", name)]),
            Some(Action::ToggleLayerVisible),
        ),
        DocumentError::NoMask(name) => {
            (trf("The layer “{name}” has no mask.", &[("name", name)]), None)
        }
        DocumentError::NothingSelected => (
            tr("Nothing is selected. Select a part of the picture first.").to_owned(),
            Some(Action::SelectAll),
        ),
        DocumentError::LastLayer => (
            tr("A picture keeps at least one layer. Add another one first.").to_owned(),
            Some(Action::AddLayer),
        ),
        DocumentError::NothingBelow => {
            (tr("There is no layer below to merge with.").to_owned(), None)
        }
        DocumentError::EmptyName => (tr("A name can't be empty.").to_owned(), None),
        DocumentError::TooFar => {
            (tr("That would be too far away from the canvas.").to_owned(), None)
        }
        DocumentError::Extent(extent) => (
            trf(
                "A canvas has 1 to {most} pixels a side, not {width} × {height}.",
                &[
                    ("most", &crate::document::Document::MAX_SIDE_PX),
                    ("width", &extent.width),
                    ("height", &extent.height),
                ],
            ),
            None,
        ),
        DocumentError::NoLayer(_) | DocumentError::NoSavedSelection(_) => {
            (sentence(&error.to_string()), None)
        }
    };
    Told { text, offer }
}

/// Why a job can't be done.
pub(super) fn of_failure(failure: &Failure) -> Told {
    let settings = Some(Action::ShowSettings);
    let (text, offer) = match failure.cause {
        FailureCause::NoModel => (
            tr("The model is not there. Choose another one, or the folder for models in the \
                settings."),
            settings,
        ),
        FailureCause::WrongModel => {
            (tr("The chosen model can't do this. Choose another one."), None)
        }
        FailureCause::MissingFile => (
            tr("A file of the model is missing. Bring the model in again, or choose another one."),
            settings,
        ),
        FailureCause::DamagedFile => (
            tr("A file of the model is damaged. Bring the model in again, or choose another one."),
            settings,
        ),
        FailureCause::EmptyMask => {
            (tr("The mask is empty. Paint over what should be repainted."), None)
        }
        FailureCause::TooLarge => {
            (tr("The picture is too large for this. Crop it or scale it down first."), None)
        }
        FailureCause::OutOfMemory => (
            tr("The memory is full. Make fewer or smaller pictures, or compute on the processor: \
                see the settings."),
            settings,
        ),
        FailureCause::NoDevice => (
            tr("The device that is chosen in the settings can't be used. Choose another one."),
            settings,
        ),
        FailureCause::NotFinite => (
            tr("The network gave values that are not numbers. Choose full precision in the \
                settings, or another model."),
            settings,
        ),
        FailureCause::Stopped => (tr("The engine has stopped. Start the program again."), None),
        FailureCause::Other => return Told { text: sentence(&failure.message), offer: None },
    };
    // Which file, or how large: the error itself knows.
    log::warn!("{}", failure.message);
    Told { text: text.to_owned(), offer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::FailureKind;

    #[test]
    fn what_can_be_mended_with_a_click_is_offered() {
        let locked = of_document(&DocumentError::Locked("Sky".to_owned()));
        assert_eq!(locked.text, "The layer “Sky” is locked. Unlock it to change it.");
        assert_eq!(locked.offer, Some(Action::ToggleLayerLocked));
        let none = of_document(&DocumentError::NothingSelected);
        assert_eq!(none.offer, Some(Action::SelectAll));
    }

    #[test]
    fn causes_have_their_sentence_and_the_rest_its_own_text() {
        let failure = |cause| {
            let message = "some words: \"/a/file\"".to_owned();
            of_failure(&Failure { kind: FailureKind::Input, cause, message })
        };
        let missing = failure(FailureCause::NoModel);
        assert!(missing.text.starts_with("The model is not there."), "{}", missing.text);
        assert_eq!(missing.offer, Some(Action::ShowSettings));
        let other = Told { text: "Some words: \"/a/file\".".to_owned(), offer: None };
        assert_eq!(failure(FailureCause::Other), other);
    }
}
