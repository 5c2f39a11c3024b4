//! `stack.xml`: the layers of an `OpenRaster` file, from the topmost to the lowest.
//!
//! What other programs write and Gesso has no counterpart for (groups, filters, other blend modes)
//! is replaced by what comes closest, with a remark for the user.

use std::fmt::Write as _;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::document::Document;
use crate::geom::Extent;
use crate::raster::BlendMode;

/// More layers than this are taken for an attack.
pub(super) const MAX_LAYERS: usize = 10_000;
/// Layers farther from the canvas than this are left out.
const MAX_OFFSET_PX: i32 = 1 << 20;
/// Elements in elements.
const MAX_DEPTH: usize = 100;
/// Longer names are cut.
const MAX_NAME_CHARS: usize = 1000;
/// Remarks beyond this many are counted, not listed.
pub(super) const MAX_REMARKS: usize = 50;

/// The content of `stack.xml`.
#[derive(Clone, Debug, PartialEq)]
pub struct StackXml {
    /// The canvas.
    pub extent: Extent,
    /// From the topmost to the lowest.
    pub layers: Vec<StackLayer>,
}

/// One layer in `stack.xml`.
#[derive(Clone, Debug, PartialEq)]
pub struct StackLayer {
    /// Its name for people.
    pub name: String,
    /// Its PNG in the archive.
    pub src: String,
    /// The column of the canvas that its first pixel lies in.
    pub x: i32,
    /// The row of the canvas that its first pixel lies in.
    pub y: i32,
    /// 0 to 1.
    pub opacity: f32,
    /// Whether it is shown.
    pub visible: bool,
    /// Whether it is protected from change.
    pub locked: bool,
    /// Whether it is the one that is worked on.
    pub selected: bool,
    /// How it mixes with what lies below.
    pub blend_mode: BlendMode,
}

/// Why `stack.xml` can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of layers (stack.xml) can't be understood: {0}")]
pub struct StackError(String);

impl StackXml {
    /// The file's text.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let Extent { width, height } = self.extent;
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _infallible = writeln!(
            xml,
            "<image version=\"0.0.3\" w=\"{width}\" h=\"{height}\" xres=\"72\" yres=\"72\">\n <stack>"
        );
        for layer in &self.layers {
            let _infallible = writeln!(
                xml,
                "  <layer name=\"{}\" src=\"{}\" x=\"{}\" y=\"{}\" opacity=\"{}\" \
                 visibility=\"{}\" composite-op=\"{}\"{}{}/>",
                escaped(&layer.name),
                escaped(&layer.src),
                layer.x,
                layer.y,
                layer.opacity,
                if layer.visible { "visible" } else { "hidden" },
                composite_op(layer.blend_mode),
                if layer.locked { " edit-locked=\"true\"" } else { "" },
                if layer.selected { " selected=\"true\"" } else { "" },
            );
        }
        xml.push_str(" </stack>\n</image>\n");
        xml
    }

    /// Understands the file's text; with it come remarks about what was replaced or left out.
    ///
    /// # Errors
    ///
    /// When it is no XML, has no canvas that can be worked on, or is too deep or too long to have
    /// been made by a program for pictures.
    pub fn parse(xml: &str) -> Result<(Self, Vec<String>), StackError> {
        let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut parser = Parser::default();
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => parser.start(&element)?,
                Ok(Event::End(_)) => {
                    parser.open.pop();
                }
                Ok(Event::Eof) => return parser.finish(),
                // Text and entities mean nothing here; so nothing is ever expanded.
                Ok(_) => {}
                Err(error) => return Err(StackError(error.to_string())),
            }
        }
    }
}

/// An element that is open.
#[derive(Clone, Copy)]
enum Open {
    Image,
    Root,
    /// A group: what its layers inherit.
    Group {
        opacity: f32,
        visible: bool,
        locked: bool,
    },
    /// Something whose content is not looked at.
    Other,
}

#[derive(Default)]
struct Parser {
    open: Vec<Open>,
    extent: Option<Extent>,
    root_seen: bool,
    layers: Vec<StackLayer>,
    remarks: Remarks,
}

/// Remarks for the user: the first in words, the rest as a number.
#[derive(Default)]
pub(super) struct Remarks {
    list: Vec<String>,
    more: usize,
}

impl Remarks {
    pub(super) fn push(&mut self, remark: String) {
        if self.list.len() < MAX_REMARKS {
            self.list.push(remark);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn into_list(self) -> Vec<String> {
        let mut list = self.list;
        if self.more > 0 {
            list.push(format!("There are {} more remarks like these.", self.more));
        }
        list
    }
}

/// The attributes that mean something, as text.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    src: Option<String>,
    x: Option<String>,
    y: Option<String>,
    w: Option<String>,
    h: Option<String>,
    opacity: Option<String>,
    visibility: Option<String>,
    composite_op: Option<String>,
    edit_locked: Option<String>,
    selected: Option<String>,
}

impl Attributes {
    fn of(element: &BytesStart<'_>) -> Result<Self, StackError> {
        let mut all = Self::default();
        // Looking for doubles would take the square of their number; the first one counts.
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| StackError(error.to_string()))?;
            let place = match attribute.key.as_ref() {
                b"name" => &mut all.name,
                b"src" => &mut all.src,
                b"x" => &mut all.x,
                b"y" => &mut all.y,
                b"w" => &mut all.w,
                b"h" => &mut all.h,
                b"opacity" => &mut all.opacity,
                b"visibility" => &mut all.visibility,
                b"composite-op" => &mut all.composite_op,
                b"edit-locked" => &mut all.edit_locked,
                b"selected" => &mut all.selected,
                _ => continue,
            };
            if place.is_none() {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                *place = Some(value.map_err(|error| StackError(error.to_string()))?.into_owned());
            }
        }
        Ok(all)
    }

    /// The name for remarks.
    fn label(&self) -> String {
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        format!("{:?}", shortened(name.or(self.src.as_deref()).unwrap_or_default(), 60))
    }

    fn is_visible(&self) -> bool {
        self.visibility.as_deref() != Some("hidden")
    }

    fn is_locked(&self) -> bool {
        self.edit_locked.as_deref() == Some("true")
    }
}

impl Parser {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), StackError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(StackError(format!("there are more than {MAX_DEPTH} groups in groups")));
        }
        let name = element.local_name();
        let next = match (self.open.last().copied(), name.as_ref()) {
            (None, b"image") if self.extent.is_none() => {
                self.extent = Some(canvas(&Attributes::of(element)?)?);
                Open::Image
            }
            (None, _) => {
                return Err(StackError("it doesn't start with <image>".to_owned()));
            }
            // What is said about the root itself has no meaning: it is the whole picture.
            (Some(Open::Image), b"stack") if !self.root_seen => {
                self.root_seen = true;
                Open::Root
            }
            (Some(inside @ (Open::Root | Open::Group { .. })), b"stack") => {
                self.group(&Attributes::of(element)?, inside)
            }
            (Some(inside @ (Open::Root | Open::Group { .. })), b"layer") => {
                self.layer(&Attributes::of(element)?, inside)?;
                Open::Other
            }
            (Some(Open::Root | Open::Group { .. }), other) => {
                let kind = shortened(&String::from_utf8_lossy(other), 60);
                let label = Attributes::of(element)?.label();
                self.remarks.push(format!(
                    "{label} was left out: there is nothing like <{kind}> in Gesso."
                ));
                Open::Other
            }
            (Some(Open::Image | Open::Other), _) => Open::Other,
        };
        self.open.push(next);
        Ok(())
    }

    fn group(&mut self, attributes: &Attributes, outside: Open) -> Open {
        let label = attributes.label();
        let (opacity, visible, locked) = outside.inherited();
        self.remarks.push(format!(
            "The group {label} was dissolved: its layers stand by themselves, so that they may \
             blend otherwise than inside the group."
        ));
        let mode = attributes.composite_op.as_deref();
        if mode.is_some_and(|mode| mode_of(mode) != Some(BlendMode::Normal)) {
            self.remarks.push(format!("The blend mode of the group {label} was left out."));
        }
        Open::Group {
            opacity: opacity * self.opacity(attributes),
            visible: visible && attributes.is_visible(),
            locked: locked || attributes.is_locked(),
        }
    }

    fn layer(&mut self, attributes: &Attributes, inside: Open) -> Result<(), StackError> {
        let label = attributes.label();
        let Some(src) = attributes.src.clone() else {
            self.remarks.push(format!("The layer {label} was left out: it has no picture."));
            return Ok(());
        };
        let (Some(x), Some(y)) = (offset(attributes.x.as_ref()), offset(attributes.y.as_ref()))
        else {
            self.remarks.push(format!(
                "The layer {label} was left out: its place on the canvas can't be understood."
            ));
            return Ok(());
        };
        if self.layers.len() == MAX_LAYERS {
            return Err(StackError(format!("there are more than {MAX_LAYERS} layers")));
        }
        let mode = attributes.composite_op.as_deref().unwrap_or("svg:src-over");
        let blend_mode = mode_of(mode).unwrap_or_else(|| {
            let mode = shortened(mode, 60);
            self.remarks.push(format!(
                "The layer {label} has the blend mode {mode:?}, which Gesso doesn't have; it is \
                 normal now."
            ));
            BlendMode::Normal
        });
        let (opacity, visible, locked) = inside.inherited();
        let opacity = opacity * self.opacity(attributes);
        let name = match attributes.name.as_deref() {
            Some(name) if !name.is_empty() => shortened(name, MAX_NAME_CHARS),
            // As other programs do.
            _ => file_stem(&src),
        };
        self.layers.push(StackLayer {
            name,
            x,
            y,
            opacity,
            visible: visible && attributes.is_visible(),
            locked: locked || attributes.is_locked(),
            selected: attributes.selected.as_deref() == Some("true"),
            blend_mode,
            src,
        });
        Ok(())
    }

    fn opacity(&mut self, attributes: &Attributes) -> f32 {
        let Some(text) = &attributes.opacity else { return 1.0 };
        match text.trim().parse::<f32>() {
            Ok(opacity) if !opacity.is_nan() => opacity.clamp(0.0, 1.0),
            _ => {
                let (label, text) = (attributes.label(), shortened(text, 60));
                self.remarks.push(format!(
                    "The opacity {text:?} of {label} can't be understood; it is opaque now."
                ));
                1.0
            }
        }
    }

    fn finish(self) -> Result<(StackXml, Vec<String>), StackError> {
        if !self.open.is_empty() {
            return Err(StackError("it ends too soon".to_owned()));
        }
        let extent = self.extent.ok_or_else(|| StackError("it is empty".to_owned()))?;
        Ok((StackXml { extent, layers: self.layers }, self.remarks.into_list()))
    }
}

impl Open {
    fn inherited(self) -> (f32, bool, bool) {
        match self {
            Self::Group { opacity, visible, locked } => (opacity, visible, locked),
            Self::Image | Self::Root | Self::Other => (1.0, true, false),
        }
    }
}

fn canvas(attributes: &Attributes) -> Result<Extent, StackError> {
    let side = |name: &str, text: Option<&String>| {
        let text = text.ok_or_else(|| StackError(format!("the canvas has no {name}")))?;
        let max = Document::MAX_SIDE_PX;
        match text.trim().parse::<u64>() {
            Ok(side) if (1..=u64::from(max)).contains(&side) => Ok(side as u32),
            Ok(side) => Err(StackError(format!(
                "the canvas' {name} is {side}, but 1 to {max} pixels can be worked on"
            ))),
            Err(_) => {
                let text = shortened(text, 60);
                Err(StackError(format!("the canvas' {name} is {text:?}, which is no number")))
            }
        }
    };
    Ok(Extent::new(side("width", attributes.w.as_ref())?, side("height", attributes.h.as_ref())?))
}

/// Where a layer lies; nothing where that isn't a number, or far beyond all canvases.
fn offset(text: Option<&String>) -> Option<i32> {
    let Some(text) = text else { return Some(0) };
    // Some programs write whole numbers with a fraction.
    let offset = text.trim().parse::<f64>().ok()?.round();
    (offset.abs() <= f64::from(MAX_OFFSET_PX)).then_some(offset as i32)
}

/// The blend mode's name in the file.
fn composite_op(mode: BlendMode) -> &'static str {
    match mode {
        // Not in OpenRaster's list, and nobody reads `svg:exclusion`; but Krita reads and writes
        // this one, and others show both as normal.
        BlendMode::Exclusion => "krita:exclusion",
        mode => mode.ora_name(),
    }
}

fn mode_of(name: &str) -> Option<BlendMode> {
    match name {
        "" => Some(BlendMode::Normal),
        "krita:exclusion" => Some(BlendMode::Exclusion),
        // Krita's second soft light; the difference is small.
        "krita:soft_light" => Some(BlendMode::SoftLight),
        // What old versions of Krita wrote.
        "svg:add" => Some(BlendMode::Add),
        "color-dodge" => Some(BlendMode::ColorDodge),
        "difference" => Some(BlendMode::Difference),
        name => BlendMode::from_ora_name(name),
    }
}

/// The text as an attribute's value. What XML can't hold in any form is replaced.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => result.push_str("&amp;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '"' => result.push_str("&quot;"),
            // Else readers make spaces of them.
            '\t' => result.push_str("&#9;"),
            '\n' => result.push_str("&#10;"),
            '\r' => result.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => result.push('\u{fffd}'),
            c => result.push(c),
        }
    }
    result
}

fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn file_stem(src: &str) -> String {
    let file = src.rsplit('/').next().unwrap_or(src);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    shortened(stem, MAX_NAME_CHARS)
}
