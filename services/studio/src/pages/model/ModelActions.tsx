// What can be done with a version; what does not fit its kind is not offered.
import { Button, Menu } from "@mantine/core";
import {
  IconCloudUpload,
  IconFileExport,
  IconFlask,
  IconMessages,
  IconReportAnalytics,
  IconTrash,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/client";
import { canChat, canTrain, exportsOf } from "../../lib/models";
import { ChangeButton, ChangeItem } from "../../ui/Changing";
import { MoreMenu } from "../../ui/MoreMenu";
import { DeleteDialog } from "./DeleteDialog";
import { EvaluateDialog } from "./EvaluateDialog";
import { ExportDialog } from "./ExportDialog";
import { PushDialog } from "./PushDialog";

type Dialog = "export" | "evaluate" | "push" | "delete";

export function ModelActions({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const [open, setOpen] = useState<Dialog | null>(null);
  const name = encodeURIComponent(version.model);
  const dialog = (which: Dialog) => ({ version, opened: open === which, onClose: () => setOpen(null) });
  return (
    <>
      {canChat(version) && (
        <Button
          component={Link}
          to={`/playground?model=${name}`}
          variant="default"
          leftSection={<IconMessages size={17} aria-hidden />}
        >
          {t("actions.chat")}
        </Button>
      )}
      {canTrain(version) && (
        <ChangeButton to={`/new?model=${name}`} leftSection={<IconFlask size={17} aria-hidden />}>
          {t(version.facts.kind === "adapter" ? "actions.further" : "actions.train")}
        </ChangeButton>
      )}
      <More version={version} choose={setOpen} />
      <ExportDialog {...dialog("export")} />
      <EvaluateDialog {...dialog("evaluate")} />
      <PushDialog {...dialog("push")} />
      <DeleteDialog {...dialog("delete")} />
    </>
  );
}

function More({ version, choose }: { version: ModelVersion; choose: (dialog: Dialog) => void }) {
  const { t } = useTranslation("models");
  return (
    <MoreMenu label={t("actions.more", { name: version.model })}>
      {canTrain(version) && (
        <ChangeItem leftSection={<IconReportAnalytics size={16} aria-hidden />} onClick={() => choose("evaluate")}>
          {t("actions.evaluate")}
        </ChangeItem>
      )}
      {exportsOf(version).length > 0 && (
        <ChangeItem leftSection={<IconFileExport size={16} aria-hidden />} onClick={() => choose("export")}>
          {t("actions.export")}
        </ChangeItem>
      )}
      <ChangeItem leftSection={<IconCloudUpload size={16} aria-hidden />} onClick={() => choose("push")}>
        {t("actions.push")}
      </ChangeItem>
      <Menu.Divider />
      <ChangeItem c="var(--k-bad)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => choose("delete")}>
        {t("actions.delete")}
      </ChangeItem>
    </MoreMenu>
  );
}
