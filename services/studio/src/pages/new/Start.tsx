import { Alert, Stack, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { ChangeButton, useWhyNot } from "../../ui/Changing";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { useProblemText } from "../../ui/problems";
import classes from "./NewPage.module.css";
import type { Plan } from "./plan";
import type { Starting } from "./useStart";

/** The button, and why it cannot be pressed yet, or what came back. */
export function Start({ plan, start }: { plan: Plan; start: Starting }) {
  const { t } = useTranslation("new");
  const whyNot = useWhyNot();
  const textOf = useProblemText();
  const problem = start.error === null ? null : textOf(start.error);
  return (
    <div>
      <ChangeButton
        type="submit"
        fullWidth
        size="md"
        leftSection={<IconPlayerPlay size={18} aria-hidden />}
        loading={start.busy}
        disabled={plan.reasons.length > 0}
        aria-describedby="why-not"
      >
        {t("start")}
      </ChangeButton>
      <div id="why-not">
        {whyNot !== null && (
          <Text size="sm" mt="sm">
            {whyNot}
          </Text>
        )}
        {plan.reasons.length > 0 && (
          <>
            <Text size="sm" mt="sm">
              {t("reasons.title")}
            </Text>
            <ul className={classes.reasons}>
              {plan.reasons.map((reason) => (
                <li key={reason}>{t(`reasons.${reason}`)}</li>
              ))}
            </ul>
          </>
        )}
        {problem && (
          <Alert color="red" mt="sm" role="alert" title={problem.title}>
            <Stack gap="xs">
              <ProblemDetail failure={problem.failure} />
            </Stack>
          </Alert>
        )}
      </div>
    </div>
  );
}
