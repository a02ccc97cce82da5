import { useTranslation } from "react-i18next";
import { type Titled, titleParts } from "../lib/jobTitles";

/** A job's name, or what it is called where nobody gave it one. Names in it are isolated: they run as they are
 * written, whatever the language around them. */
export function useJobTitle(): (job: Titled) => string {
  const { t } = useTranslation();
  return (job) => {
    const parts = titleParts(job);
    if (parts === null) return job.name;
    const isolated = Object.entries(parts).map(([part, value]) => [part, `\u2068${value}\u2069`]);
    return t(`titles.${job.kind}`, Object.fromEntries(isolated) as Record<string, string>);
  };
}
