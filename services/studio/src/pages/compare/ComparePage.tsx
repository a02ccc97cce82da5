// Trainings side by side: curves on one chart, last figures, and what differs between them.
import { Button, Stack } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Job } from "../../api/client";
import { jobQuery } from "../../api/jobs";
import { MOST_COMPARED } from "../../lib/compare";
import { useAddress } from "../../ui/address";
import { PageHead } from "../../ui/PageHead";
import { hasEnded } from "../../ui/StatusBadge";
import { Bones, Empty, Failed } from "../../ui/states";
import { ConfigTable } from "./ConfigTable";
import { CurvesCard } from "./CurvesCard";
import { FinalTable } from "./FinalTable";
import { Picker } from "./Picker";

const LIVE_MILLISECONDS = 4_000;

export default function ComparePage() {
  const { t } = useTranslation("compare");
  const [chosen, choose] = useChosen();
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <Stack gap="lg">
        <Picker chosen={chosen} onChoose={choose} />
        {chosen.length === 0 ? <Nothing /> : <Chosen ids={chosen} onChoose={choose} />}
      </Stack>
    </>
  );
}

/** The jobs are in the address: a comparison can be kept and shared. */
function useChosen(): [string[], (ids: string[]) => void] {
  const [address, change] = useAddress();
  const named = (address.get("jobs") ?? "").split(",").filter(Boolean);
  const choose = (ids: string[]) => change({ jobs: ids.join(",") });
  return [[...new Set(named)].slice(0, MOST_COMPARED), choose];
}

function Nothing() {
  const { t } = useTranslation("compare");
  return (
    <Empty title={t("empty.title")} text={t("empty.text")} icon={<IconChartLine size={52} stroke={1.2} />}>
      <Button component={Link} to="/jobs" variant="default">
        {t("common:nav.jobs")}
      </Button>
    </Empty>
  );
}

function Chosen({ ids, onChoose }: { ids: string[]; onChoose: (ids: string[]) => void }) {
  const { t } = useTranslation("compare");
  const found = useQueries({
    queries: ids.map((id) => ({
      ...jobQuery(id),
      refetchInterval: ({ state }: { state: { data?: Job | undefined } }) =>
        state.data && hasEnded(state.data.status) ? (false as const) : LIVE_MILLISECONDS,
    })),
  });
  const lost = found.findIndex(({ error, data }) => error !== null && data === undefined);
  const jobs = found.flatMap(({ data }) => (data === undefined ? [] : [data]));
  return (
    <>
      {lost >= 0 && (
        <Stack align="center">
          <Failed error={found[lost]?.error} />
          <Button variant="default" onClick={() => onChoose(ids.filter((_, place) => place !== lost))}>
            {t("without")}
          </Button>
        </Stack>
      )}
      {jobs.length === 0 && lost < 0 && <Bones lines={2} height={260} />}
      {jobs.length > 0 && (
        <>
          <CurvesCard jobs={jobs} />
          <FinalTable jobs={jobs} />
          <ConfigTable jobs={jobs} />
        </>
      )}
    </>
  );
}
