import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Empty } from "../ui/states";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Empty whole title={t("notFound.title")} text={t("notFound.text")}>
      <Button component={Link} to="/">
        {t("notFound.home")}
      </Button>
    </Empty>
  );
}
