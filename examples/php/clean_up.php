#!/usr/bin/env php
<?php

// Deletes files older than some days, and tells in one push how many there were and how long each folder took.
//
//   moko-mon run -- ./clean_up.php DAYS FOLDER…

declare(strict_types=1);

if ($argc < 3) {
    fwrite(STDERR, "usage: clean_up.php DAYS FOLDER...\n");
    exit(2);
}
$before = time() - 86400 * (int) $argv[1];
$lines = [
    '# TYPE files_deleted gauge',
    '# HELP files_deleted Files that the last run has deleted, by folder.',
];

foreach (array_slice($argv, 2) as $folder) {
    $deleted = 0;
    foreach (new FilesystemIterator($folder, FilesystemIterator::SKIP_DOTS) as $file) {
        if ($file->isFile() && $file->getMTime() < $before && unlink($file->getPathname())) {
            $deleted++;
        }
    }
    $lines[] = sprintf('files_deleted{folder="%s"} %d', addcslashes($folder, "\\\"\n"), $deleted);
}

// Several metrics at once, in the format that servers show them in.
$push = popen('moko-mon push text', 'w');
fwrite($push, implode("\n", $lines) . "\n");
exit(pclose($push));
