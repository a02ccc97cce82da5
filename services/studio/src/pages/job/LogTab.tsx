import { useMutation, useQuery } from "@tanstack/react-query";
import type { Job } from "../../api/client";
import { identified } from "../../api/client";
import { logQuery } from "../../api/history";
import { problemOf } from "../../api/problem";
import { saveFile } from "../../lib/files";
import { LogView } from "../../ui/LogView";
import { Bones, Failed } from "../../ui/states";

export function LogTab({ job }: { job: Job }) {
  const { data: lines, error, refetch } = useQuery(logQuery(job.id));
  const download = useMutation({
    mutationFn: async () => {
      const answer = await identified(new Request(`/api/jobs/${job.id}/logs?format=text`));
      if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null));
      saveFile(`${job.name}.log`, "text/plain", await answer.blob());
    },
  });
  if (error !== null && lines === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (lines === undefined) return <Bones lines={1} height={350} />;
  return <LogView lines={lines} onDownload={() => download.mutate()} />;
}
