// What a former job was trained on: which versions, and whether they are there still.
import { ApiProblem } from "../../api/problem";
import { partsOf } from "../../lib/references";

export interface Own {
  /** `name@2` */
  reference: string;
  /** Whether that very version is there still. */
  there: boolean;
}

export interface Ref {
  name: string;
  version: number;
  versionId: string;
}

/** How the question for a version went. */
export interface Asked {
  data: { latest: { id: string } } | undefined;
  error: Error | null;
}

export function referenceOf(ref: Ref | null | undefined): string | null {
  return ref ? `${ref.name}@${ref.version}` : null;
}

/** Undefined: not known yet. A version of that number with another id was made since, under the same name. */
export function ownOf(ref: Ref | null | undefined, { data, error }: Asked): Own | null | undefined {
  const reference = referenceOf(ref);
  if (reference === null) return null;
  if (data !== undefined) return { reference, there: data.latest.id === ref?.versionId };
  return isAbsent(error) ? { reference, there: false } : undefined;
}

export function isAbsent(error: Error | null): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

/** The job's version, or the newest where that one is gone. */
export function stillThere(own: Own | null): string | null {
  if (own === null) return null;
  return own.there ? own.reference : partsOf(own.reference).name;
}
