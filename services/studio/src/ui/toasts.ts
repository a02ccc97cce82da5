import { notifications } from "@mantine/notifications";
import { createElement } from "react";
import { i18next } from "../i18n";
import { ProblemDetail } from "./ProblemDetail";
import { problemText } from "./problems";

const closeButtonProps = () => ({ "aria-label": i18next.t("close") });

export function tellFailure(error: unknown): void {
  const { title, failure } = problemText(i18next.t as never, error);
  const message = createElement(ProblemDetail, { failure });
  notifications.show({ color: "red", title, message, autoClose: 8_000, closeButtonProps: closeButtonProps() });
}

export function tellDone(message: string): void {
  notifications.show({ color: "firouzeh", message, autoClose: 4_000, closeButtonProps: closeButtonProps() });
}
