// Who is logged in, in which project; nothing where nobody must log in.
import { Menu, UnstyledButton } from "@mantine/core";
import { IconCheck, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { chooseProject, logOut } from "../api/session";
import { useWhoAmI } from "../api/whoami";

export function Person() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data: me } = useWhoAmI();
  if (me === undefined || !me.auth) return null;

  const choose = (project: string) => {
    chooseProject(project);
    void client.resetQueries();
  };

  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <UnstyledButton aria-label={t("person.label", { name: me.name })}>
          <IconUserCircle size={26} stroke={1.5} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <bdi>{me.name}</bdi>
        </Menu.Label>
        {me.projects.map(({ project, role }) => (
          <Menu.Item
            key={project}
            onClick={() => choose(project)}
            leftSection={project === me.project ? <IconCheck size={16} /> : null}
          >
            <bdi>{project}</bdi> · {t(`roles.${role}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={() => void logOut().then(() => window.location.reload())}
        >
          {t("person.logout")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
