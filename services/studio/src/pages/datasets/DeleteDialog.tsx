import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { deleteDataset, forgetDataset } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { Confirm } from "../../ui/Confirm";
import { tellDone } from "../../ui/toasts";

interface Props {
  name: string;
  /** That version alone; else the dataset with all its versions. */
  version?: number;
  opened: boolean;
  onClose: () => void;
  onDone?: () => void;
}

export function DeleteDialog({ name, version, opened, onClose, onDone }: Props) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  const client = useQueryClient();
  const which = version === undefined ? "all" : "one";
  const told = { name, version: version === undefined ? "" : format.number(version) };
  const remove = useMutation({
    mutationFn: () => deleteDataset(name, version),
    onSuccess: () => {
      onDone?.();
      forgetDataset(client, name, version);
      tellDone(t(`delete.${which}.done`, told));
    },
    onSettled: onClose,
  });
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={t(`delete.${which}.title`, told)}
      text={t(`delete.${which}.text`, told)}
      yes={t("delete.yes")}
      onYes={() => remove.mutate()}
      busy={remove.isPending}
    />
  );
}
