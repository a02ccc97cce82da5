import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Failure, FieldWords } from "../lib/failures";
import classes from "./ProblemDetail.module.css";
import { useFailureWords } from "./problems";

interface Props {
  failure: Failure;
  /** Says what happened, too: nothing above does. */
  titled?: boolean;
}

/** The way out of a failure in the language of the page, and what the service said: it names values. Where there is no
 * text for its code, the service's words are all. */
export function ProblemDetail({ failure, titled = false }: Props) {
  const { title, way, fields, original, told } = useFailureWords()(failure);
  return (
    <>
      {titled && title !== null && <Text size="sm">{title}</Text>}
      {way !== null && <Text size="sm">{way}</Text>}
      {fields.length > 0 && <Fields fields={fields} />}
      {told ? <Folded lines={original} /> : <Original lines={original} plain={title === null} />}
    </>
  );
}

/** What happened, on one line. */
export function FailureLine({ failure }: { failure: Failure }) {
  const { title } = useFailureWords()(failure);
  if (title !== null) return <span>{title}</span>;
  return (
    <span dir="ltr" className="k-plain">
      {failure.detail}
    </span>
  );
}

function Fields({ fields }: { fields: FieldWords[] }) {
  return (
    <ul className={classes.fields}>
      {fields.map(({ field, text, known }) => (
        <li key={`${field} ${text}`}>
          <bdi dir="ltr" className="k-mono">
            {field}
          </bdi>
          : <bdi dir={known ? undefined : "ltr"}>{text}</bdi>
        </li>
      ))}
    </ul>
  );
}

function Folded({ lines }: { lines: string[] }) {
  const { t } = useTranslation();
  if (lines.length === 0) return null;
  return (
    <details className={classes.folded}>
      <summary>{t("problems.details")}</summary>
      <Original lines={lines} plain={false} />
    </details>
  );
}

/** `plain`: it is the text itself, and its first line is no aside. */
function Original({ lines, plain }: { lines: string[]; plain: boolean }) {
  return lines.map((line, place) => (
    <Text
      key={line}
      size={plain ? "sm" : "xs"}
      c={plain && place === 0 ? undefined : "dimmed"}
      dir="ltr"
      className="k-plain"
    >
      {line}
    </Text>
  ));
}
