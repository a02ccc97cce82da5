import { Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { usePush } from "../../api/tasks";
import { type DialogProps, reference, TaskDialog } from "./TaskDialog";

/** Sends a version to a hub. */
export function PushDialog({ version, ...dialog }: DialogProps) {
  const { t } = useTranslation("models");
  const task = usePush();
  const [repository, setRepository] = useState(version.model.includes("/") ? version.model : "");
  const [endpoint, setEndpoint] = useState("");
  const [revision, setRevision] = useState("");
  const [secret, setSecret] = useState(true);
  const wish =
    repository.trim() === ""
      ? null
      : {
          model: reference(version),
          repository: repository.trim(),
          revision: revision.trim() || "main",
          private: secret,
          ...(endpoint.trim() ? { endpoint: endpoint.trim() } : {}),
        };
  return (
    <TaskDialog
      {...dialog}
      title={t("push.title")}
      text={t("push.text")}
      submit={t("push.submit")}
      task={task}
      wish={wish}
    >
      <TextInput
        label={t("push.repository")}
        placeholder="owner/name"
        dir="ltr"
        value={repository}
        onChange={(event) => setRepository(event.currentTarget.value)}
        required
      />
      <TextInput
        label={t("push.endpoint")}
        description={t("push.endpointText")}
        placeholder="https://hub.example"
        dir="ltr"
        value={endpoint}
        onChange={(event) => setEndpoint(event.currentTarget.value)}
      />
      <TextInput
        label={t("push.revision")}
        placeholder="main"
        dir="ltr"
        value={revision}
        onChange={(event) => setRevision(event.currentTarget.value)}
      />
      <Switch label={t("push.private")} checked={secret} onChange={(event) => setSecret(event.currentTarget.checked)} />
    </TaskDialog>
  );
}
