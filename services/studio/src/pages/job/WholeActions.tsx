import { useState } from "react";
import type { Job } from "../../api/client";
import { JobActions } from "../../ui/JobActions";
import { ExtendDialog } from "./ExtendDialog";
import { ForkActions } from "./ForkActions";

/** What can be done to a job, and what can be made of it. */
export function WholeActions({ job }: { job: Job }) {
  // Null: never asked for. There may be hundreds of jobs on a page.
  const [extending, setExtending] = useState<boolean | null>(null);
  return (
    <>
      <JobActions job={job}>
        <ForkActions job={job} onExtend={() => setExtending(true)} />
      </JobActions>
      {extending !== null && <ExtendDialog job={job} opened={extending} onClose={() => setExtending(false)} />}
    </>
  );
}
