// The frame: navigation at the side (a drawer on a phone), what belongs to the person above it.
import { AppShell, Burger, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconAdjustmentsHorizontal,
  IconBox,
  IconChartLine,
  IconCloudDownload,
  IconDatabase,
  IconLayoutDashboard,
  IconListDetails,
  IconMessages,
  IconPlus,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink as RouterLink, useLocation } from "react-router";
import { ChangeButton, useWhyNot } from "../ui/Changing";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { Logo } from "../ui/Logo";
import { ThemeSwitch } from "../ui/ThemeSwitch";
import { Person } from "./Person";
import classes from "./Shell.module.css";

const ENTRIES = [
  { to: "/", name: "dashboard", icon: IconLayoutDashboard },
  { to: "/jobs", name: "jobs", icon: IconListDetails },
  { to: "/compare", name: "compare", icon: IconChartLine },
  { to: "/datasets", name: "datasets", icon: IconDatabase },
  { to: "/models", name: "models", icon: IconBox },
  { to: "/hub", name: "hub", icon: IconCloudDownload },
  { to: "/playground", name: "playground", icon: IconMessages },
  { to: "/settings", name: "settings", icon: IconAdjustmentsHorizontal },
] as const;

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure();
  return (
    <AppShell
      layout="alt"
      header={{ height: 60 }}
      navbar={{ width: 248, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", sm: "lg", lg: "xl" }}
    >
      <a href="#content" className="k-skip">
        {t("skip")}
      </a>
      <AppShell.Header className={`k-glass ${classes.header}`}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t("nav.menu")} />
          <Group gap="xs" wrap="nowrap" ms="auto">
            <LookOnly />
            <LanguageSwitch size="xs" />
            <ThemeSwitch />
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} p="md">
        <AppShell.Section>
          <Group justify="space-between" wrap="nowrap">
            <Group gap="sm" component={Link} {...({ to: "/" } as object)} className={classes.brand}>
              <Logo />
              <Text fw={750} size="lg">
                {t("brand")}
              </Text>
            </Group>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t("nav.close")} />
          </Group>
          <ChangeButton to="/new" onClick={close} fullWidth mt="lg" leftSection={<IconPlus size={18} />}>
            {t("nav.new")}
          </ChangeButton>
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} mt="md">
          <nav aria-label={t("nav.label")}>
            {ENTRIES.map((entry) => (
              <Entry key={entry.to} {...entry} onClick={close} />
            ))}
          </nav>
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className={classes.content}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}

/** Told once for the whole page: the buttons that are off say it each. */
function LookOnly() {
  const { t } = useTranslation();
  const whyNot = useWhyNot();
  if (whyNot === null) return null;
  return (
    <Text size="sm" c="dimmed" title={whyNot} visibleFrom="sm">
      {t("mayNot.short")}
    </Text>
  );
}

type EntryProps = (typeof ENTRIES)[number] & { onClick: () => void };

function Entry({ to, name, icon: Icon, onClick }: EntryProps) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const here = to === "/" ? pathname === "/" : pathname === to || pathname.startsWith(`${to}/`);
  return (
    <NavLink
      component={RouterLink}
      to={to}
      active={here}
      aria-current={here ? "page" : undefined}
      onClick={onClick}
      className={classes.entry}
      label={t(`nav.${name}`)}
      leftSection={<Icon size={19} stroke={1.7} aria-hidden />}
    />
  );
}
