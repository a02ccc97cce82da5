// A form that queues a job and leads to it; what was refused is told in it.
import { Button, Group, Stack, Text } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { Job, ModelVersion } from "../../api/client";
import { Dialog } from "../../ui/Dialog";
import { Failed } from "../../ui/states";

/** What every dialog of a version is given. */
export interface DialogProps {
  version: ModelVersion;
  opened: boolean;
  onClose: () => void;
}

interface Props<Wish> {
  opened: boolean;
  onClose: () => void;
  title: string;
  text: string;
  submit: string;
  task: UseMutationResult<Job, Error, Wish>;
  /** What is asked for; null as long as something is missing. */
  wish: Wish | null;
  children: ReactNode;
}

export function TaskDialog<Wish>({ opened, onClose, title, text, submit, task, wish, children }: Props<Wish>) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const send = () => {
    if (wish !== null) task.mutate(wish, { onSuccess: (job) => navigate(`/jobs/${job.id}`) });
  };
  return (
    <Dialog opened={opened} onClose={onClose} title={title} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            {text}
          </Text>
          {children}
          {task.error && <Failed error={task.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("cancel")}
            </Button>
            <Button type="submit" disabled={wish === null} loading={task.isPending}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** `name@version`, as jobs name a version. */
export function reference({ model, version }: ModelVersion): string {
  return `${model}@${version}`;
}
