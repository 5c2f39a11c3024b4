//! From options to requests: what the user said, else what a repeated picture says, else what suits
//! the model.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::cli::error::CliError;
use crate::cli::options::Options;
use crate::cli::text_chunks::record_from_chunks;
use crate::engine::check::check;
use crate::engine::family::{Enlarged, Family, Purpose};
use crate::engine::library::ModelLibrary;
use crate::engine::request::{
    BaseSettings, Common, GenerateRequest, InpaintRequest, InpaintSettings, Record, Request,
    SourceNote, UpsampleSettings, UpscaleRequest, UpscaleSettings,
};
use crate::raster::Mask;
use crate::storage::{ImageFile, read_image_file, read_mask, read_png_text};

/// Width of the soft edge inside the mask where nobody says otherwise.
const FEATHER_PX: u32 = 4;
/// Wider feathers than any picture are mistakes.
const MAX_FEATHER_PX: u32 = 1024;

/// Reads the request out of a picture.
///
/// # Errors
///
/// When the file can't be read or holds no request of this program.
pub(crate) fn record_from_file(path: &Path) -> Result<Record, CliError> {
    let chunks = read_png_text(path)?;
    record_from_chunks(&chunks)?.ok_or_else(|| {
        CliError::Input(format!(
            "the picture holds no request; only PNG files that gesso wrote can be repeated: {path:?}"
        ))
    })
}

/// A request for pictures from text.
///
/// # Errors
///
/// When the options can't be fulfilled.
pub(crate) fn generate_request(
    prompt: Option<&str>,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<Request, CliError> {
    let from = match from {
        None => None,
        Some(Record::Generate(request)) => Some(request),
        Some(other) => return Err(wrong_command("generate", other)),
    };
    let draft = Draft { prompt, options, from: from.map(|request| &request.common) };
    let family = draft.family(library, Purpose::Generate)?;
    let base = draft.base(from.map(|request| &request.base), &family)?;
    let recorded =
        from.map_or(Recorded::Nothing, |request| Recorded::of(request.upsample.as_ref()));
    let upsample = draft.upsample(recorded, &family, &base)?;
    let common = draft.common(&family, Some(&base), enlarged(upsample.as_ref()))?;
    let count = options.count.unwrap_or(1);
    checked(Request::Generate(GenerateRequest { common, count, base, upsample }), &family)
}

/// A request to repaint the masked part of a picture, and the picture's file.
///
/// # Errors
///
/// When a file can't be read or the options can't be fulfilled.
pub(crate) fn inpaint_request(
    prompt: Option<&str>,
    files: (&Path, &Path),
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, ImageFile), CliError> {
    let from = match from {
        None => None,
        Some(Record::Inpaint(settings)) => Some(settings),
        Some(other) => return Err(wrong_command("inpaint", other)),
    };
    let image = read_image_file(files.0)?;
    let mask = read_mask(files.1, image.image.extent())?;
    let draft = Draft { prompt, options, from: from.map(|settings| &settings.common) };
    let family = draft.family(library, Purpose::Inpaint)?;
    let base = draft.base(from.map(|settings| &settings.base), &family)?;
    let recorded =
        from.map_or(Recorded::Nothing, |settings| Recorded::of(settings.upsample.as_ref()));
    let upsample = draft.upsample(recorded, &family, &base)?;
    let common = draft.common(&family, Some(&base), enlarged(upsample.as_ref()))?;
    let feather_px =
        options.feather.or(from.map(|settings| settings.feather_px)).unwrap_or(FEATHER_PX);
    if feather_px > MAX_FEATHER_PX {
        return Err(CliError::Input(format!(
            "--feather must be from 0 to {MAX_FEATHER_PX}, not {feather_px}"
        )));
    }
    let settings = InpaintSettings {
        common,
        count: options.count.unwrap_or(1),
        base,
        upsample,
        feather_px,
        image: note(files.0, image.image.as_raw()),
        mask: note(files.1, Mask::as_raw(&mask)),
    };
    let request = Request::Inpaint(InpaintRequest {
        settings,
        image: Arc::new(image.image.clone()),
        mask: Arc::new(mask),
    });
    Ok((checked(request, &family)?, image))
}

/// A request to enlarge a picture, and the picture's file.
///
/// # Errors
///
/// When the file can't be read or the options can't be fulfilled.
pub(crate) fn upscale_request(
    prompt: Option<&str>,
    file: &Path,
    options: &Options,
    from: Option<&Record>,
    library: &ModelLibrary,
) -> Result<(Request, ImageFile), CliError> {
    let from = match from {
        None => None,
        Some(Record::Upscale(settings)) => Some(settings),
        Some(other) => return Err(wrong_command("upscale", other)),
    };
    if options.count.is_some_and(|count| count != 1) {
        return Err(CliError::input("upscale makes one picture; leave --count out"));
    }
    if options.size.is_some() {
        return Err(CliError::input(
            "upscale always makes a picture four times as wide and high; leave --size out",
        ));
    }
    let image = read_image_file(file)?;
    let draft = Draft { prompt, options, from: from.map(|settings| &settings.common) };
    let family = draft.family(library, Purpose::Upscale)?;
    let mut upsample = match from {
        Some(settings) => settings.upsample.clone(),
        None => family.upsample_settings()?,
    };
    draft.override_upsample(&mut upsample);
    let settings = UpscaleSettings {
        common: draft.common(&family, None, Enlarged::Yes)?,
        upsample,
        image: note(file, image.image.as_raw()),
    };
    let request =
        Request::Upscale(UpscaleRequest { settings, image: Arc::new(image.image.clone()) });
    Ok((checked(request, &family)?, image))
}

fn checked(request: Request, family: &Family) -> Result<Request, CliError> {
    check(&request)?;
    family.check_loops(&request)?;
    Ok(request)
}

const fn enlarged(upsample: Option<&UpsampleSettings>) -> Enlarged {
    if upsample.is_some() { Enlarged::Yes } else { Enlarged::No }
}

fn wrong_command(command: &str, record: &Record) -> CliError {
    let made_by = record.command();
    CliError::Input(format!(
        "the picture was made by `gesso {made_by}`, so `gesso {command}` can't repeat it; use \
         `gesso {made_by} ... --from FILE.png` with its input files"
    ))
}

/// What a repeated picture says about its enlargement.
#[derive(Clone, Copy)]
enum Recorded<'a> {
    /// No picture is repeated.
    Nothing,
    /// It was left small.
    Small,
    /// It was enlarged like this.
    Large(&'a UpsampleSettings),
}

impl<'a> Recorded<'a> {
    const fn of(upsample: Option<&'a UpsampleSettings>) -> Self {
        match upsample {
            Some(settings) => Self::Large(settings),
            None => Self::Small,
        }
    }
}

/// What is known about a request before it is one.
struct Draft<'a> {
    prompt: Option<&'a str>,
    options: &'a Options,
    from: Option<&'a Common>,
}

impl Draft<'_> {
    fn family(&self, library: &ModelLibrary, purpose: Purpose) -> Result<Family, CliError> {
        let id = self.options.model.as_deref().or(self.from.map(|from| from.model.as_str()));
        Ok(Family::find(library, id, purpose)?)
    }

    fn base(&self, from: Option<&BaseSettings>, family: &Family) -> Result<BaseSettings, CliError> {
        let options = self.options;
        let mut base = match from {
            Some(base) => BaseSettings { size: family.base_size()?, ..base.clone() },
            None => family.base_settings(options.sampler)?,
        };
        let clip_guided = options.clip_guidance.is_some_and(|scale| scale > 0.0);
        if from.is_none() && clip_guided {
            // Both kinds of guidance at once pull too hard; the reference uses one at a time.
            base.guidance = 1.0;
        }
        base.sampler = options.sampler.unwrap_or(base.sampler);
        if let Some(steps) = options.steps {
            base.steps = steps;
            base.respacing = steps.to_string();
        }
        base.eta = options.eta.unwrap_or(base.eta);
        base.guidance = options.guidance.unwrap_or(base.guidance);
        base.clip_guidance = options.clip_guidance.unwrap_or(base.clip_guidance);
        Ok(base)
    }

    /// How the small picture is enlarged; `None` where it stays small.
    fn upsample(
        &self,
        recorded: Recorded<'_>,
        family: &Family,
        base: &BaseSettings,
    ) -> Result<Option<UpsampleSettings>, CliError> {
        let large = family.large_size();
        let enlarge = match self.options.size {
            Some(size) if size == base.size => false,
            Some(size) if Some(size) == large => true,
            Some(size) => {
                let sizes = large.map_or_else(
                    || format!("only {}, because it has no upsampler", base.size),
                    |large| format!("{} or {large}", base.size),
                );
                return Err(CliError::Input(format!(
                    "--size {size} can't be drawn; the model {:?} draws {sizes}",
                    family.id
                )));
            }
            None => match recorded {
                Recorded::Nothing => large.is_some(),
                Recorded::Small => false,
                Recorded::Large(_) => true,
            },
        };
        if !enlarge {
            return Ok(None);
        }
        let mut upsample = match recorded {
            Recorded::Large(settings) => {
                UpsampleSettings { size: large.unwrap_or(settings.size), ..settings.clone() }
            }
            _ => family.upsample_settings()?,
        };
        self.override_upsample(&mut upsample);
        Ok(Some(upsample))
    }

    fn override_upsample(&self, upsample: &mut UpsampleSettings) {
        let options = self.options;
        if let Some(steps) = &options.upsample_steps {
            upsample.respacing.clone_from(steps);
        }
        upsample.sampler = options.upsample_sampler.unwrap_or(upsample.sampler);
        upsample.guidance = options.upsample_guidance.unwrap_or(upsample.guidance);
        upsample.temperature = options.upsample_temp.unwrap_or(upsample.temperature);
    }

    fn common(
        &self,
        family: &Family,
        base: Option<&BaseSettings>,
        enlarged: Enlarged,
    ) -> Result<Common, CliError> {
        let clip_guidance = base.map_or(0.0, |base| base.clip_guidance);
        let checkpoints = family.checkpoints(enlarged, clip_guidance)?;
        if let Some(from) = self.from
            && self.options.model.is_none()
        {
            for checkpoint in &checkpoints {
                let recorded = from.checkpoint(&[checkpoint.role]);
                if recorded.is_some_and(|recorded| recorded.sha256 != checkpoint.sha256) {
                    log::warn!(
                        "the picture was made with other {} weights; the result will differ",
                        checkpoint.role
                    );
                }
            }
        }
        let options = self.options;
        let from = self.from;
        Ok(Common {
            prompt: self
                .prompt
                .or(options.prompt.as_deref())
                .or(from.map(|from| from.prompt.as_str()))
                .unwrap_or_default()
                .to_owned(),
            model: family.id.clone(),
            checkpoints,
            seed: options.seed.or(from.map(|from| from.seed)).unwrap_or_else(random_seed),
            device: options.device.or(from.map(|from| from.device)).unwrap_or_default(),
            precision: options.precision.or(from.map(|from| from.precision)).unwrap_or_default(),
        })
    }
}

/// A seed that nobody chose, short enough to be typed.
fn random_seed() -> u64 {
    // The standard library seeds its hash tables from the system's randomness.
    RandomState::new().build_hasher().finish() >> 32
}

fn note(path: &Path, bytes: &[u8]) -> SourceNote {
    let mut sha256 = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        for half in [byte >> 4, byte & 15] {
            sha256.extend(char::from_digit(u32::from(half), 16));
        }
    }
    SourceNote { path: Some(path.to_string_lossy().into_owned()), sha256: Some(sha256) }
}
