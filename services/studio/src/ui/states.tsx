// What a view shows before, instead of, and without its content.
import { Alert, Button, Center, Group, Loader, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ProblemDetail } from "./ProblemDetail";
import { useProblemText } from "./problems";

export function Waiting({ full = false }: { full?: boolean }) {
  const { t } = useTranslation();
  return (
    <Center mih={full ? "100dvh" : "40dvh"} role="status" aria-label={t("loading")}>
      <Loader type="dots" />
    </Center>
  );
}

/** Grey bars where so many lines of content will be. */
export function Bones({ lines = 4, height = 56 }: { lines?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <Stack role="status" aria-label={t("loading")}>
      {Array.from({ length: lines }, (_, line) => `bone-${line}`).map((key) => (
        <Skeleton key={key} height={height} radius="md" />
      ))}
    </Stack>
  );
}

interface FailedProps {
  error: unknown;
  again?: () => void;
  full?: boolean;
}

export function Failed({ error, again, full = false }: FailedProps) {
  const { t } = useTranslation();
  const { title, failure } = useProblemText()(error);
  return (
    <Center mih={full ? "100dvh" : undefined} p="md">
      <Alert color="red" title={title} role="alert" maw={640} w="100%">
        <Stack gap="xs">
          <ProblemDetail failure={failure} />
          {again && (
            <Group>
              <Button size="xs" variant="default" onClick={again}>
                {t("again")}
              </Button>
            </Group>
          )}
        </Stack>
      </Alert>
    </Center>
  );
}

interface EmptyProps {
  title: string;
  text?: string;
  icon?: ReactNode;
  /** It is all that the page has. */
  whole?: boolean;
  children?: ReactNode;
}

/** Nothing here yet: what would be, and the way to it. */
export function Empty({ title, text, icon, whole = false, children }: EmptyProps) {
  return (
    <Stack align="center" gap="sm" py={64} px="md" ta="center">
      {icon}
      <Title order={whole ? 1 : 2} size="h3">
        {title}
      </Title>
      {text && (
        <Text c="dimmed" maw={460}>
          {text}
        </Text>
      )}
      {children}
    </Stack>
  );
}
