import { notifications } from "@mantine/notifications";
import { i18next } from "../i18n";
import { problemText } from "./problems";

const closeButtonProps = () => ({ "aria-label": i18next.t("close") });

export function tellFailure(error: unknown): void {
  const { title, detail } = problemText(i18next.t as never, error);
  notifications.show({ color: "red", title, message: detail, autoClose: 8_000, closeButtonProps: closeButtonProps() });
}

export function tellDone(message: string): void {
  notifications.show({ color: "firouzeh", message, autoClose: 4_000, closeButtonProps: closeButtonProps() });
}
