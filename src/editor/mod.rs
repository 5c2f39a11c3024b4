//! What the window works with: the document, the tools, the models' work, the dialogs.
//!
//! A gesture or a click becomes a [`Command`]; [`Editor::update`] changes the editor and returns
//! [`Effect`]s for what must happen outside of it: files, the clipboard, the engine. The editor does
//! no input and output, draws nothing and can be tested without a window. Start at [`Editor`].

mod action;
mod chat;
mod command;
mod compare;
mod conversation;
mod effect;
mod gallery;
mod generation;
mod jobs;
mod keymap;
pub mod messages;
mod notice;
mod project;
pub mod requests;
mod staging;
mod state;
mod update;
mod view;

pub use action::{Action, ActionInfo, Menu};
pub use chat::{
    AnswerWish, Answered, Chat, ChatOptions, EditedMessage, MOST_ATTACHMENTS, Message, PendingTurn,
};
pub use command::{Command, PointerEvent, PointerPhase};
pub use compare::{Compare, CompareMode, CompareSide};
pub use conversation::{
    Conversation, ConversationKey, Turn, TurnNote, TurnPicture, last_change, line_end,
};
pub use effect::{
    ChatPlan, CopySource, DragPixels, DragSource, Dragged, EarlierPlan, EditPlan, Effect,
    FileDialog, FolderSetting, Keep, LibraryTask, ReadTo, RequestPlan, StagePlan,
};
pub use gallery::{
    FoundPictures, Gallery, GalleryFilter, GalleryId, GalleryItem, GalleryPixels, KeptId,
    LibrarySize, PictureName, PictureOrigin, PictureUse,
};
pub use generation::{ExtendBy, Generation, JobKind};
pub use jobs::{Job, JobList, JobNumber, JobState};
pub use keymap::{Keymap, Shortcut};
pub use notice::{Notice, NoticeKind};
pub use project::{LeftWork, OpenedProject, Opening, PROJECT_ENDING, is_project};
pub use staging::{Staged, Staging};
pub use state::{
    AfterSaving, Computing, Dialog, Editor, Fetching, Panel, PictureFile, ShownPreview,
};
pub use view::{MaskDisplay, View};
