import { Anchor, Table } from "@mantine/core";
import { Link } from "react-router";
import type { Job } from "../../api/client";
import { labelsOf } from "../../lib/compare";
import classes from "./ComparePage.module.css";

/** The jobs above the columns of a table, in the colours of their curves. */
export function JobHeads({ jobs, first }: { jobs: Job[]; first: string }) {
  const labels = labelsOf(jobs);
  return (
    <Table.Thead>
      <Table.Tr>
        <Table.Th scope="col">{first}</Table.Th>
        {jobs.map((job, place) => (
          <Table.Th key={job.id} scope="col">
            <span className={classes.key} data-color={place + 1} aria-hidden />
            <Anchor component={Link} to={`/jobs/${job.id}`} inherit>
              <bdi>{labels.get(job.id)}</bdi>
            </Anchor>
          </Table.Th>
        ))}
      </Table.Tr>
    </Table.Thead>
  );
}
