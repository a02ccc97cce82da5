// How jobs name what they are trained from: `name`, the newest version, or `name@2`, that one.

export interface Reference {
  name: string;
  /** A number, or of a model an alias; undefined: whichever is the newest. */
  version: string | undefined;
}

export function partsOf(reference: string): Reference {
  const at = reference.lastIndexOf("@");
  return at < 0
    ? { name: reference, version: undefined }
    : { name: reference.slice(0, at), version: reference.slice(at + 1) };
}

/** Whether `reference` names a version, by its number, that others have followed. */
export function isOld(reference: string, newest: number): boolean {
  const { version } = partsOf(reference);
  return version !== undefined && Number(version) < newest;
}
