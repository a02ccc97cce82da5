/** Where a training on the latest version of a dataset is begun. */
export function trainPath(dataset: string): string {
  return `/new?dataset=${encodeURIComponent(dataset)}`;
}
