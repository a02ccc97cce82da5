// What a finished job made, whatever its kind, and the ways on from there.
import { Button, Group, Text } from "@mantine/core";
import { IconBox, IconDatabase, IconFlask, IconMessages } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { talkersQuery } from "../../api/chat";
import type { Job } from "../../api/client";
import { trainPath } from "../../lib/paths";
import { ChangeButton } from "../../ui/Changing";

export function Result({ job }: { job: Job }) {
  if (job.status !== "completed") return null;
  const { outputModel, outputDataset, params } = job.config;
  if (outputModel) return <MadeModel name={outputModel} />;
  if (outputDataset) return <MadeDataset name={outputDataset} />;
  if (job.kind === "push") return <Pushed repository={String(params.repository)} endpoint={params.endpoint} />;
  return null;
}

function MadeModel({ name }: { name: string }) {
  const { t } = useTranslation("job");
  // Asked anew: the model is newer than any answer there is.
  const { data: talkers = [] } = useQuery({ ...talkersQuery, staleTime: 0 });
  return (
    <Made said={t("result.made")} name={name}>
      <Button variant="default" component={Link} to={`/models/${name}`} leftSection={<IconBox size={17} aria-hidden />}>
        {t("result.open")}
      </Button>
      {talkers.includes(name) && (
        <Button
          component={Link}
          to={`/playground?model=${encodeURIComponent(name)}`}
          leftSection={<IconMessages size={17} aria-hidden />}
        >
          {t("result.chat")}
        </Button>
      )}
    </Made>
  );
}

function MadeDataset({ name }: { name: string }) {
  const { t } = useTranslation(["job", "datasets"]);
  return (
    <Made said={t("result.brought")} name={name}>
      <Button
        variant="default"
        component={Link}
        to={`/datasets/${name}`}
        leftSection={<IconDatabase size={17} aria-hidden />}
      >
        {t("datasets:upload.open")}
      </Button>
      <ChangeButton to={trainPath(name)} leftSection={<IconFlask size={17} aria-hidden />}>
        {t("datasets:train")}
      </ChangeButton>
    </Made>
  );
}

/** Only where it went: other hubs' pages are at addresses that only they know. */
function Pushed({ repository, endpoint }: { repository: string; endpoint: unknown }) {
  const { t } = useTranslation("job");
  return (
    <Made said={t("result.pushed")} name={repository}>
      {typeof endpoint === "string" && (
        <Text size="sm" c="dimmed" dir="ltr">
          {endpoint}
        </Text>
      )}
    </Made>
  );
}

function Made({ said, name, children }: { said: string; name: string; children: ReactNode }) {
  return (
    <Group className="k-card" p="md" justify="space-between">
      <Text>
        {said} <bdi style={{ fontWeight: 650 }}>{name}</bdi>
      </Text>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}
