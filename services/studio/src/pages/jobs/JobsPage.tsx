// All jobs, newest first: filters in the address, so that a view can be kept and shared.
import { SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFlask, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type JobFilters, jobPages } from "../../api/jobs";
import { type ChangeAddress, useAddress } from "../../ui/address";
import { ChangeButton } from "../../ui/Changing";
import { MorePages } from "../../ui/MorePages";
import { PageHead } from "../../ui/PageHead";
import { Bones, Empty, Failed } from "../../ui/states";
import { JobCard } from "./JobCard";
import classes from "./JobsPage.module.css";

const STATUSES = [
  "pending",
  "preparing",
  "training",
  "evaluating",
  "paused",
  "completed",
  "error",
  "cancelled",
] as const;
const KINDS = ["train", "evaluate", "export", "install", "import", "push"] as const;

export default function JobsPage() {
  const { t } = useTranslation("jobs");
  const [address, change] = useAddress();
  const filters = filtersOf(address);
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ChangeButton to="/new">{t("common:nav.new")}</ChangeButton>
      </PageHead>
      <Filters filters={filters} change={change} />
      <JobList filters={filters} />
    </>
  );
}

function JobList({ filters }: { filters: JobFilters }) {
  const found = useInfiniteQuery(jobPages(filters));
  const { data, error, isPending, refetch } = found;
  if (isPending) return <Bones lines={3} height={150} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  const jobs = data?.pages.flatMap((page) => page.items) ?? [];
  if (jobs.length === 0) return <NoJobs filtered={filters.status !== undefined || filters.name !== undefined} />;
  return (
    <Stack>
      <ul className={`k-list ${classes.list}`}>
        {jobs.map((job) => (
          <li key={job.id}>
            <JobCard job={job} />
          </li>
        ))}
      </ul>
      <MorePages of={found} />
    </Stack>
  );
}

function NoJobs({ filtered }: { filtered: boolean }) {
  const { t } = useTranslation("jobs");
  if (filtered)
    return <Empty title={t("noMatch.title")} text={t("noMatch.text")} icon={<IconSearch size={44} stroke={1.2} />} />;
  return (
    <Empty title={t("empty.title")} text={t("empty.text")} icon={<IconFlask size={52} stroke={1.2} />}>
      <ChangeButton to="/new">{t("empty.start")}</ChangeButton>
    </Empty>
  );
}

function Filters({ filters, change }: { filters: JobFilters; change: ChangeAddress }) {
  const { t } = useTranslation("jobs");
  const [name, setName] = useState(filters.name ?? "");
  const [wanted] = useDebouncedValue(name, 300);
  useEffect(() => change({ name: wanted.trim() }), [wanted, change]);
  return (
    <search className={classes.filters}>
      <SegmentedControl
        aria-label={t("filter.kind")}
        data={["train", "all"].map((value) => ({ value, label: t(`filter.${value}`) }))}
        value={filters.kind === "train" ? "train" : "all"}
        onChange={(kind) => change({ kind: kind === "train" ? null : "all" })}
      />
      {filters.kind !== "train" && (
        <Select
          aria-label={t("filter.kind")}
          placeholder={t("filter.kind")}
          clearable
          data={KINDS.map((value) => ({ value, label: t(`common:kinds.${value}`) }))}
          value={filters.kind ?? null}
          onChange={(kind) => change({ kind: kind ?? "all" })}
        />
      )}
      <Select
        aria-label={t("filter.status")}
        placeholder={t("filter.status")}
        clearable
        data={STATUSES.map((value) => ({ value, label: t(`common:status.${value}`) }))}
        value={filters.status ?? null}
        onChange={(status) => change({ status })}
      />
      <TextInput
        aria-label={t("filter.name")}
        placeholder={t("filter.name")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </search>
  );
}

/** Trainings only, unless the address says otherwise. */
function filtersOf(address: URLSearchParams): JobFilters {
  const kind = address.get("kind") ?? "train";
  return {
    ...(kind === "all" ? {} : { kind: kind as JobFilters["kind"] }),
    ...(address.get("status") ? { status: address.get("status") as JobFilters["status"] } : {}),
    ...(address.get("name") ? { name: address.get("name") ?? "" } : {}),
  };
}
