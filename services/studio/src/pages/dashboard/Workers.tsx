import { Anchor, SimpleGrid, Text } from "@mantine/core";
import { IconCpu } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { workersQuery } from "../../api/platform";
import { useFormat } from "../../lib/format";
import { Bones, Failed } from "../../ui/states";
import { Section } from "./DashboardPage";
import classes from "./DashboardPage.module.css";

type Worker = Schemas["WorkerView"];

export function Workers() {
  const { t } = useTranslation("dashboard");
  const { data, error } = useQuery(workersQuery);
  if (error !== null && data === undefined) return <Failed error={error} />;
  if (data === undefined) return <Bones lines={1} height={80} />;
  return (
    <Section title={t("workers.title")}>
      {data.items.length === 0 && <Text c="dimmed">{t("workers.none")}</Text>}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {data.items.map((worker) => (
          <Card key={worker.name} worker={worker} />
        ))}
      </SimpleGrid>
    </Section>
  );
}

function Card({ worker }: { worker: Worker }) {
  const { t } = useTranslation("dashboard");
  const format = useFormat();
  const state = !worker.alive ? "gone" : worker.busy ? "busy" : "idle";
  return (
    <div className={`k-card ${classes.worker}`} data-state={state}>
      <IconCpu size={26} stroke={1.4} aria-hidden />
      <div style={{ minWidth: 0 }}>
        <Text fw={600}>
          <bdi>{worker.name}</bdi>
        </Text>
        <Text size="sm" c="dimmed">
          <Device device={worker.device} />
        </Text>
        <Text size="sm">
          {t(`workers.${state}`)}
          {state === "gone" && <> · {format.ago(worker.seenAt)}</>}
          {worker.jobId && (
            <>
              {" · "}
              <Anchor component={Link} to={`/jobs/${worker.jobId}`} size="sm">
                {t("workers.job")}
              </Anchor>
            </>
          )}
        </Text>
      </div>
    </div>
  );
}

/** What the worker computes on: its GPUs by name, or the machine's cores; and its memory. */
function Device({ device }: { device: Record<string, unknown> }) {
  const { t } = useTranslation("dashboard");
  const format = useFormat();
  const { gpus, threads, memoryBytes } = device;
  const cores = typeof threads === "number" ? threads : 0;
  const parts = [
    ...(Array.isArray(gpus) ? gpus.map(nameOf) : []),
    t("workers.threads", { count: cores, number: format.number(cores) }),
    ...(typeof memoryBytes === "number" ? [format.bytes(memoryBytes)] : []),
  ];
  return <bdi>{parts.join(" · ")}</bdi>;
}

function nameOf(gpu: unknown): string {
  return typeof gpu === "object" && gpu !== null && "name" in gpu ? String(gpu.name) : String(gpu);
}
