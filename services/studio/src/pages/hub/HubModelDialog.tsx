// A model of the hub at one commit, judged before anything of it is downloaded.
import { Alert, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconDownload, IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { type HubModel, hubModelQuery } from "../../api/hub";
import { useInstall } from "../../api/tasks";
import type { Failure } from "../../lib/failures";
import { useFormat } from "../../lib/format";
import { ChangeButton } from "../../ui/Changing";
import { Dialog } from "../../ui/Dialog";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { Bones, Failed } from "../../ui/states";
import { tellDone } from "../../ui/toasts";
import { HubFiles } from "./HubFiles";
import classes from "./HubPage.module.css";

interface Props {
  /** null: none is looked at. */
  repo: string | null;
  onClose: () => void;
}

export function HubModelDialog({ repo, onClose }: Props) {
  return (
    <Dialog opened={repo !== null} onClose={onClose} title={<bdi dir="ltr">{repo}</bdi>} size="xl">
      {repo !== null && <Details key={repo} repo={repo} onClose={onClose} />}
    </Dialog>
  );
}

function Details({ repo, onClose }: { repo: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(hubModelQuery(repo));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={4} height={60} />;
  return (
    <Stack>
      <Facts model={data} />
      <Verdict model={data} />
      {data.safe && <InstallForm model={data} onDone={onClose} />}
      <HubFiles files={data.files} />
    </Stack>
  );
}

function Facts({ model }: { model: HubModel }) {
  const { t } = useTranslation("hub");
  const format = useFormat();
  const name = (text: string | null | undefined) => text && <bdi dir="ltr">{text}</bdi>;
  const shown: [string, ReactNode][] = [
    ["download", model.safe && format.bytes(model.downloadBytes)],
    ["size", format.bytes(model.sizeBytes)],
    ["parameters", model.parameters != null && format.compact(model.parameters)],
    ["license", name(model.license)],
    ["task", name(model.task)],
    ["updated", model.updatedAt && format.date(model.updatedAt)],
    ["commit", name(model.commit.slice(0, 12))],
  ];
  return (
    <dl className={`${classes.facts} k-numbers`}>
      {shown.map(
        ([key, value]) =>
          value && (
            <div key={key}>
              <dt>{t(`facts.${key}`)}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Verdict({ model }: { model: HubModel }) {
  const { t } = useTranslation("hub");
  if (model.safe) {
    return (
      <Alert color="firouzeh" icon={<IconShieldCheck size={20} aria-hidden />} title={t("safe.title")}>
        <Text size="sm">{t(model.gated ? "safe.gated" : "safe.text")}</Text>
      </Alert>
    );
  }
  const { problemCode: code, problem: detail, hint } = model;
  const refusal: Failure = { about: "job", code, detail, hint }; // as the install's end would tell it
  return (
    <Alert color="red" icon={<IconAlertTriangle size={20} aria-hidden />} title={t("unsafe")}>
      <Stack gap="xs">
        <ProblemDetail failure={refusal} titled />
      </Stack>
    </Alert>
  );
}

function InstallForm({ model, onDone }: { model: HubModel; onDone: () => void }) {
  const { t } = useTranslation("hub");
  const format = useFormat();
  const install = useInstall();
  const [name, setName] = useState(model.id);
  const wanted = name.trim();
  const send = () =>
    install.mutate(
      { source: model.source, name: wanted },
      {
        onSuccess: () => {
          tellDone(t("models:install.begun", { name: wanted }));
          onDone();
        },
      },
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Group align="flex-end">
        <TextInput
          className={classes.name}
          label={t("models:install.name")}
          dir="ltr"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <ChangeButton
          type="submit"
          disabled={wanted === ""}
          loading={install.isPending}
          leftSection={<IconDownload size={17} aria-hidden />}
        >
          {t("install", { size: format.bytes(model.downloadBytes) })}
        </ChangeButton>
      </Group>
      {install.error && <Failed error={install.error} />}
    </form>
  );
}
