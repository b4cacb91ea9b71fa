; acolyte-installer-VERSION-windows-ARCH-setup.exe: puts the programs below the user's folder, with a menu entry and an entry
; in the list of installed apps. Made by "cargo xtask dist", by NSIS 3.08 or newer:
;   makensis -DVERSION=0.1.0 -DROOT=. -DBINARIES=DIR -DOUTPUT=setup.exe installer/windows/setup.nsi
; Needs no administrator. /S asks and shows nothing. Exit code: 0, or 2 if something was refused or failed.

; Debian's NSIS can make 64-bit setups, that of NSIS' own site only 32-bit ones; Windows runs both.
!if /FileExists "${NSISDIR}/Stubs/lzma_solid-amd64-unicode"
  Target amd64-unicode
!endif
Unicode true
!define PRODUCT "ACOLYTE Installer"
; The entries that the programs write when they are kept ("ACOLYTE-" and a number for each home) are of what they
; installed; this one is of the programs that this file brings.
!define APPS "Software\Microsoft\Windows\CurrentVersion\Uninstall"
!define APPS_KEY "${APPS}\ACOLYTE Installer"
!define SHORTCUT "$SMPROGRAMS\ACOLYTE Installer.lnk"

Name "${PRODUCT}"
OutFile "${OUTPUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\ACOLYTE"
InstallDirRegKey HKCU "${APPS_KEY}" "InstallLocation"
ManifestDPIAware true
ManifestSupportedOS Win10
ManifestLongPathAware true
SetCompressor /SOLID lzma
; The two programs have much in common, and are larger than the usual 8 MB.
SetCompressorDictSize 64
; Installed files get the date of their installation; those of the build computer would make each build another.
SetDateSave off
AllowSkipFiles off
BrandingText "ACOLYTE ${VERSION}"

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "ACOLYTE"
VIAddVersionKey "CompanyName" "ACOLYTE"
VIAddVersionKey "FileDescription" "ACOLYTE setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT OR Apache-2.0"

!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"

!define MUI_ICON "${ROOT}/assets/icons/app.ico"
!define MUI_UNICON "${ROOT}/assets/icons/app.ico"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\acolyte-installer.exe"
!define MUI_UNCONFIRMPAGE_TEXT_TOP "$(REMOVES_ALL)"
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "Spanish"

LangString IN_USE ${LANG_ENGLISH} "A file in $INSTDIR could not be replaced. Close ACOLYTE Installer, then run this setup again."
LangString IN_USE ${LANG_SPANISH} "No se pudo reemplazar un archivo de $INSTDIR. Cierra el instalador de ACOLYTE y vuelve a ejecutar este programa."
LangString REMOVES_ALL ${LANG_ENGLISH} "This removes ACOLYTE Installer and everything it installed: the private server, the models that were downloaded, its settings. To keep the models, first run in a terminal: acolyte uninstall --keep-models"
LangString REMOVES_ALL ${LANG_SPANISH} "Se eliminará el instalador de ACOLYTE y todo lo que instaló: el servidor privado, los modelos descargados y su configuración. Para conservar los modelos, ejecuta antes en un terminal: acolyte uninstall --keep-models"
LangString REMOVING ${LANG_ENGLISH} "Removing what ACOLYTE installed"
LangString REMOVING ${LANG_SPANISH} "Eliminando lo que instaló ACOLYTE"
LangString NOT_REMOVED ${LANG_ENGLISH} "What ACOLYTE installed could not be removed, so its programs were left where they are. The reason is in the details. To see it again, run: $\"$INSTDIR\acolyte.exe$\" uninstall"
LangString NOT_REMOVED ${LANG_SPANISH} "No se pudo eliminar lo que instaló ACOLYTE, así que sus programas siguen donde estaban. El motivo está en los detalles. Para volver a verlo, ejecuta: $\"$INSTDIR\acolyte.exe$\" uninstall"
LangString STILL_OPEN ${LANG_ENGLISH} "A file in $INSTDIR could not be deleted. Close ACOLYTE Installer, then uninstall again."
LangString STILL_OPEN ${LANG_SPANISH} "No se pudo eliminar un archivo de $INSTDIR. Cierra el instalador de ACOLYTE y vuelve a desinstalar."

; Ends with a message (none with /S) and exit code 2.
!macro STOP_WITH TEXT
  DetailPrint "${TEXT}"
  MessageBox MB_OK|MB_ICONSTOP "${TEXT}" /SD IDOK
  SetErrorLevel 2
  Abort
!macroend

; Writes a file, or stops if a program has it open.
!macro PUT NAME FILE
  ClearErrors
  File "/oname=${NAME}" "${FILE}"
  ${If} ${Errors}
    !insertmacro STOP_WITH "$(IN_USE)"
  ${EndIf}
!macroend

Section
  SetOutPath "$INSTDIR"
  SetOverwrite try
  !insertmacro PUT "acolyte-installer.exe" "${BINARIES}/acolyte-installer.exe"
  !insertmacro PUT "acolyte.exe" "${BINARIES}/acolyte.exe"
  !insertmacro PUT "LICENSE-MIT" "${ROOT}/LICENSE-MIT"
  !insertmacro PUT "LICENSE-APACHE" "${ROOT}/LICENSE-APACHE"
  !insertmacro PUT "Inter-OFL.txt" "${ROOT}/assets/fonts/OFL.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortCut "${SHORTCUT}" "$INSTDIR\acolyte-installer.exe"
  WriteRegStr HKCU "${APPS_KEY}" "DisplayName" "${PRODUCT}"
  WriteRegStr HKCU "${APPS_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${APPS_KEY}" "DisplayIcon" "$INSTDIR\acolyte-installer.exe"
  WriteRegStr HKCU "${APPS_KEY}" "Publisher" "ACOLYTE"
  WriteRegStr HKCU "${APPS_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${APPS_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${APPS_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${APPS_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${APPS_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${APPS_KEY}" "EstimatedSize" $0
SectionEnd

Section "Uninstall"
  ; First what the programs installed. If that is refused or fails, they stay: without them it could not be removed.
  DetailPrint "$(REMOVING)"
  nsExec::ExecToLog '"$INSTDIR\acolyte.exe" uninstall --yes --if-installed'
  Pop $0
  ${If} $0 != 0
    !insertmacro STOP_WITH "$(NOT_REMOVED)"
  ${EndIf}
  ; A program that runs cannot be deleted. The window goes first, so that nothing is half removed.
  ClearErrors
  Delete "$INSTDIR\acolyte-installer.exe"
  Delete "$INSTDIR\acolyte.exe"
  ${If} ${Errors}
    !insertmacro STOP_WITH "$(STILL_OPEN)"
  ${EndIf}
  Delete "$INSTDIR\LICENSE-MIT"
  Delete "$INSTDIR\LICENSE-APACHE"
  Delete "$INSTDIR\Inter-OFL.txt"
  Delete "$INSTDIR\uninstall.exe"
  Delete "${SHORTCUT}"
  DeleteRegKey HKCU "${APPS_KEY}"
  ; Only if they are empty: what others put there is not ours.
  DeleteRegKey /ifempty HKCU "${APPS}"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR"
  RMDir "$LOCALAPPDATA\Programs"
SectionEnd
