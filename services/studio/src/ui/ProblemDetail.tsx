import { Text } from "@mantine/core";

interface Props {
  detail?: string | null | undefined;
  hint?: string | null | undefined;
}

/** What the API says of a failure, and the way out: in English, as it comes. */
export function ProblemDetail({ detail, hint }: Props) {
  return (
    <>
      {detail && (
        <Text size="sm" dir="ltr" className="k-plain">
          {detail}
        </Text>
      )}
      {hint && (
        <Text size="sm" c="dimmed" dir="ltr" className="k-plain">
          {hint}
        </Text>
      )}
    </>
  );
}
