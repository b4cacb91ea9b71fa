<#
.SYNOPSIS
Makes acolyte-installer-VERSION-windows-ARCH.zip and its SHA-256.
.DESCRIPTION
Run it in Windows PowerShell 5.1 or PowerShell 7, from anywhere. Without -Binaries the programs are built for release
first. The zip holds the two programs and nothing has to be installed to start them; icon, version and manifest are in
the programs themselves (build.rs).
.PARAMETER Binaries
A folder with acolyte-installer.exe and acolyte.exe that are built already.
.PARAMETER Output
Where the zip goes; target\packages without it.
.PARAMETER Thumbprint
Signs both programs with this certificate of your user's store, by signtool of the Windows SDK.
.PARAMETER TimestampUrl
The RFC 3161 server of whoever issued the certificate.
#>
[CmdletBinding()]
param(
    [string]$Binaries,
    [string]$Output,
    [string]$Thumbprint,
    [string]$TimestampUrl
)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

# Relative paths are meant from where the script was called.
$here = Get-Location
function Resolve-Given([string]$Path) { [IO.Path]::GetFullPath([IO.Path]::Combine($here.ProviderPath, $Path)) }

# A program that fails does not stop PowerShell by itself.
function Invoke-Checked([string]$Program, [string[]]$Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with exit code $LASTEXITCODE" }
}

# What a program was built for, by its own header ("PE Format"): another than that of this computer after a cross build.
function Get-Architecture([string]$Program) {
    $bytes = [IO.File]::ReadAllBytes($Program)
    $machine = [BitConverter]::ToUInt16($bytes, [BitConverter]::ToInt32($bytes, 0x3c) + 4)
    switch ($machine) {
        0x8664 { 'x86_64' }
        0xAA64 { 'aarch64' }
        default { throw ('{0} is for a machine that is not known: 0x{1:x4}' -f $Program, $machine) }
    }
}

# The same files make the same bytes: in the order of their names, all with the same time.
function Compress-Reproducibly([string]$Folder, [string]$Zip) {
    Add-Type -AssemblyName System.IO.Compression
    $parent = (Split-Path $Folder).Length + 1
    [string[]]$files = [IO.Directory]::GetFiles($Folder, '*', 'AllDirectories')
    [Array]::Sort($files, [StringComparer]::Ordinal)
    $time = [DateTimeOffset]::new(1980, 1, 1, 0, 0, 0, [TimeSpan]::Zero)
    $stream = [IO.File]::Open($Zip, 'Create')
    try {
        $archive = [IO.Compression.ZipArchive]::new($stream, 'Create')
        foreach ($file in $files) {
            $entry = $archive.CreateEntry($file.Substring($parent).Replace('\', '/'), 'Optimal')
            $entry.LastWriteTime = $time
            $content = $entry.Open()
            try {
                $bytes = [IO.File]::ReadAllBytes($file)
                $content.Write($bytes, 0, $bytes.Length)
            } finally { $content.Dispose() }
        }
        $archive.Dispose()
    } finally { $stream.Dispose() }
}

if ($Thumbprint -and -not $TimestampUrl) {
    throw '-Thumbprint needs -TimestampUrl: a signature without a time ends with its certificate'
}
$root = Split-Path (Split-Path $PSScriptRoot)
$outputFolder = if ($Output) { Resolve-Given $Output } else { Join-Path $root 'target\packages' }

if ($Binaries) {
    $built = Resolve-Given $Binaries
} else {
    Push-Location $root
    try { Invoke-Checked 'cargo' @('build', '--release', '--locked', '--bins') } finally { Pop-Location }
    $target = if ($env:CARGO_TARGET_DIR) { Resolve-Given $env:CARGO_TARGET_DIR } else { Join-Path $root 'target' }
    $built = Join-Path $target 'release'
}

$manifest = Get-Content (Join-Path $root 'Cargo.toml')
$version = ($manifest | Select-String '^version = "(.+)"$' | Select-Object -First 1).Matches[0].Groups[1].Value
$arch = Get-Architecture (Join-Path $built 'acolyte-installer.exe')
$name = "acolyte-installer-$version-windows-$arch"

$staging = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
try {
    $folder = New-Item -ItemType Directory -Path (Join-Path $staging $name)
    foreach ($program in 'acolyte-installer.exe', 'acolyte.exe') {
        $copy = Join-Path $folder.FullName $program
        Copy-Item -LiteralPath (Join-Path $built $program) -Destination $copy
        if ($Thumbprint) {
            Invoke-Checked 'signtool' @('sign', '/sha1', $Thumbprint, '/fd', 'SHA256', '/tr', $TimestampUrl, '/td', 'SHA256', $copy)
        }
    }
    foreach ($license in 'LICENSE-MIT', 'LICENSE-APACHE') {
        Copy-Item -LiteralPath (Join-Path $root $license) -Destination $folder.FullName
    }
    Copy-Item -LiteralPath (Join-Path $root 'assets\fonts\OFL.txt') -Destination (Join-Path $folder.FullName 'Inter-OFL.txt')
    Copy-Item -LiteralPath (Join-Path $PSScriptRoot 'README.txt') -Destination $folder.FullName

    $null = New-Item -ItemType Directory -Force -Path $outputFolder
    $zip = Join-Path $outputFolder "$name.zip"
    Compress-Reproducibly $folder.FullName $zip
    $hash = (Get-FileHash -Algorithm SHA256 -LiteralPath $zip).Hash.ToLowerInvariant()
    [IO.File]::WriteAllText("$zip.sha256", "$hash  $name.zip`n")
    Write-Output $zip
} finally {
    if (Test-Path -LiteralPath $staging) { Remove-Item -Recurse -Force -LiteralPath $staging }
}
