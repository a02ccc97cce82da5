import { Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useDeleteModel, versionsQuery } from "../../api/models";
import { useFormat } from "../../lib/format";
import { Dialog } from "../../ui/Dialog";
import { Failed } from "../../ui/states";
import { tellDone } from "../../ui/toasts";
import type { DialogProps } from "./TaskDialog";

/** Asks first. Who still needs the model keeps it, and is named. */
export function DeleteDialog({ version, opened, onClose }: DialogProps) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const navigate = useNavigate();
  const remove = useDeleteModel(version.model);
  const { data } = useQuery({ ...versionsQuery(version.model), enabled: opened });
  const several = (data?.items.length ?? 1) > 1;
  const [what, setWhat] = useState<"version" | "model">("version");
  const whole = !several || what === "model";
  const send = () =>
    remove.mutate(whole ? undefined : String(version.version), {
      onSuccess: () => {
        tellDone(t("delete.done"));
        void navigate(whole ? "/models" : `/models/${version.model}`, { replace: true });
        onClose();
      },
    });
  return (
    <Dialog opened={opened} onClose={onClose} title={t("delete.title")}>
      <Stack>
        <Text>{t(whole ? "delete.model" : "delete.version", { name: version.model })}</Text>
        {several && (
          <Radio.Group
            aria-label={t("delete.what")}
            value={what}
            onChange={(value) => setWhat(value as "version" | "model")}
          >
            <Stack gap="xs">
              <Radio value="version" label={t("delete.only", { version: format.number(version.version) })} />
              <Radio value="model" label={t("delete.all")} />
            </Stack>
          </Radio.Group>
        )}
        {remove.error && <Failed error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common:cancel")}
          </Button>
          <Button color="red.9" loading={remove.isPending} onClick={send}>
            {t("delete.yes")}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
